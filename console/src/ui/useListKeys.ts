import { useEffect, useRef } from "react";

interface Keyed<T> {
  rowKey: (row: T) => string;
  open?: (row: T) => void;
  act?: (row: T) => void;
  openKey?: string;
}

/**
 * Moves through a list by keyboard: j and k (or the arrows, once inside) go down and up,
 * Enter opens, a acts. While a drawer is open it follows the cursor.
 */
export function useListKeys<T>(rows: T[], list: Keyed<T>) {
  const body = useRef<HTMLTableSectionElement>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (!body.current || busyElsewhere(event)) return;
      const lines = [...body.current.querySelectorAll<HTMLElement>("tr[data-row]")];
      const at = lines.findIndex((l) => l.contains(document.activeElement) || l.dataset.row === list.openKey);
      const inside = body.current.contains(document.activeElement);
      const step = stepOf(event.key, inside);
      const row = rows[at];
      if (step !== 0) {
        const to = Math.max(0, Math.min(lines.length - 1, at + step));
        lines[to]?.focus();
        lines[to]?.scrollIntoView({ block: "nearest" });
        const next = rows[to];
        if (list.openKey && next !== undefined) list.open?.(next);
      } else if (row !== undefined && event.key === "Enter" && document.activeElement === lines[at]) {
        list.open?.(row);
      } else if (row !== undefined && event.key === "a" && list.act) {
        list.act(row);
      } else {
        return;
      }
      event.preventDefault();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [rows, list]);
  return body;
}

function stepOf(key: string, inside: boolean): number {
  if (key === "j" || (inside && key === "ArrowDown")) return 1;
  if (key === "k" || (inside && key === "ArrowUp")) return -1;
  return 0;
}

/** Keys belong to fields, dialogs and the browser before they belong to a list. */
export function busyElsewhere(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  if (document.querySelector("[role=dialog][aria-modal=true]")) return true;
  const at = event.target;
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}
