import { Button } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "../api/types";
import { number } from "../lib/text";
import { Icon } from "./Icon";
import { Trouble } from "./States";
import { Ago } from "./Time";
import { useListKeys } from "./useListKeys";
import { useView } from "./useView";
import "../styles/list.css";

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** CSS width. A column without one shares what is left. */
  width?: string;
  number?: boolean;
  /** The server's name for sorting by this column. */
  sort?: string;
  /** Whether the first press sorts the greatest first, as with numbers. */
  firstDown?: boolean;
  /** On a narrow screen: the row's first line, one of the words after it (with a label or without), or nothing. */
  narrow?: "title" | "plain" | "hide";
  /** Shown only where there is plenty of room. */
  wide?: boolean;
  /** Whether a row needs the next column's room too, and has nothing to say there. */
  covers?: (row: T) => boolean;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
  rowKey: (row: T) => string;
  open?: (row: T) => void;
  /** What the key "a" does to the row at the cursor. */
  act?: (row: T) => void;
  actWord?: string;
  openKey?: string;
  noun: [one: string, many: string];
  empty: ReactNode;
}

/** The one list: sorted, searched and paged by the server, moved in by j and k. */
export function List<T>(props: Props<T>) {
  const { query, rowKey, noun } = props;
  const rows = query.data?.pages.flatMap((p) => p.items) ?? [];
  const first = query.data?.pages[0];
  const body = useListKeys(rows, props);

  if (query.error && rows.length === 0) {
    return <Trouble error={query.error} what={`The ${noun[1]} could not be read.`} retry={() => void query.refetch()} />;
  }
  if (first && rows.length === 0) return <>{props.empty}</>;
  return (
    <>
      <table className="list" aria-label={props.label} aria-busy={query.isFetching}>
        <Head columns={props.columns} />
        <tbody ref={body}>
          {first ? rows.map((row) => <Row key={rowKey(row)} row={row} {...props} />) : <Bones columns={props.columns} />}
        </tbody>
      </table>
      {query.error && <Trouble error={query.error} what="This list may be old: reading it again failed." retry={() => void query.refetch()} />}
      {first && (
        <div className="list-foot">
          <span>
            {rows.length < first.total ? `${number(rows.length)} of ${number(first.total)}` : number(first.total)}{" "}
            {first.total === 1 ? noun[0] : noun[1]}, read <Ago at={first.as_of} />
          </span>
          {query.hasNextPage ? (
            <Button size="xs" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              Show {number(Math.min(100, first.total - rows.length))} more
            </Button>
          ) : (
            rows.length > 3 && <KeyHelp open={Boolean(props.open)} act={props.act ? props.actWord : undefined} />
          )}
        </div>
      )}
    </>
  );
}

function Row<T>({ row, columns, rowKey, open, openKey }: Props<T> & { row: T }) {
  const id = rowKey(row);
  return (
    <tr
      tabIndex={-1}
      data-row={id}
      data-opens={open ? "" : undefined}
      data-open={openKey === id ? "" : undefined}
      aria-selected={open ? openKey === id : undefined}
      onClick={(event) => {
        const inside = event.target as HTMLElement;
        if (!inside.closest("a, button, input") && !getSelection()?.toString()) open?.(row);
      }}
    >
      {columns.map((c, i) => columns[i - 1]?.covers?.(row) ? null : (
        <td key={c.key} className={classes(c)} colSpan={c.covers?.(row) ? 2 : undefined} data-label={c.narrow === undefined ? c.title : undefined}>
          {c.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function Head<T>({ columns }: { columns: Column<T>[] }) {
  const [view, change] = useView();
  return (
    <thead>
      <tr>
        {columns.map((c) => {
          const down = view.sort === `-${c.sort}`;
          const on = c.sort !== undefined && (view.sort === c.sort || down);
          return (
            <th key={c.key} scope="col" data-key={c.key} className={classes(c)} style={{ width: c.width }}
              aria-sort={on ? (down ? "descending" : "ascending") : undefined}>
              {c.sort ? (
                <button type="button" title={`Sort by ${c.title.toLowerCase()}`}
                  onClick={() => change({ sort: nextSort(view.sort, c.sort ?? "", c.number ?? c.firstDown) })}>
                  {c.title}
                  {on && <Icon name={down ? "down" : "up"} size={12} />}
                </button>
              ) : (
                c.title
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

/** The first press sorts as is useful (numbers: largest first), the second turns, the third lets go. */
function nextSort(now: string | undefined, field: string, largestFirst = false): string | undefined {
  const order = largestFirst ? [`-${field}`, field] : [field, `-${field}`];
  const at = order.indexOf(now ?? "");
  return at === 1 ? undefined : order[at + 1];
}

function classes<T>(c: Column<T>): string {
  return [c.number && "num", c.wide && "wide", c.narrow === "title" && "title", c.narrow === "hide" && "hide"]
    .filter(Boolean)
    .join(" ");
}

function Bones<T>({ columns }: { columns: Column<T>[] }) {
  return Array.from({ length: 8 }, (_, i) => (
    <tr key={i} className="list-wait">
      {columns.map((c, n) => (
        <td key={c.key} className={classes(c)}>
          <div className="bone waiting" style={{ width: `${80 - ((i * 13 + n * 29) % 45)}%` }} />
        </td>
      ))}
    </tr>
  ));
}

function KeyHelp({ open, act }: { open: boolean; act?: string }) {
  return (
    <span className="keys" aria-hidden="true">
      <span><kbd>j</kbd><kbd>k</kbd>move</span>
      {open && <span><kbd>Enter</kbd>open</span>}
      {act && <span><kbd>a</kbd>{act}</span>}
      <span><kbd>/</kbd>search</span>
    </span>
  );
}
