import { TextInput } from "@mantine/core";
import { useDebouncedCallback, useHotkeys } from "@mantine/hooks";
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { View } from "../router";
import { Icon } from "./Icon";
import { useView } from "./useView";
import "../styles/list.css";
import "../styles/parts.css";

/** The line above a list: search, then filters. Both live in the URL. */
export function Tools({ search, children }: { search: string; children?: ReactNode }) {
  return (
    <div className="list-tools" role="search">
      <Search placeholder={search} />
      {children}
    </div>
  );
}

function Search({ placeholder }: { placeholder: string }) {
  const [view, change] = useView();
  const [typed, setTyped] = useState(view.q ?? "");
  const field = useRef<HTMLInputElement>(null);
  const look = useDebouncedCallback((q: string) => change({ q: q || undefined }), 180);
  useHotkeys([["/", () => field.current?.focus()]]);
  return (
    <TextInput
      ref={field}
      className="search"
      size="xs"
      type="search"
      aria-label={placeholder}
      placeholder={placeholder}
      leftSection={<Icon name="search" size={14} />}
      value={typed}
      onChange={(e) => {
        setTyped(e.currentTarget.value);
        look(e.currentTarget.value);
      }}
      onKeyDown={(e) => {
        if (e.key === "Escape") e.currentTarget.blur();
      }}
    />
  );
}

interface Choice {
  value: string | undefined;
  label: ReactNode;
}

/** Filters as chips: one of a few, kept in the URL. */
export function Chips({ name, label, choices }: { name: keyof View; label: string; choices: Choice[] }) {
  const [view, change] = useView();
  const line = useRef<HTMLDivElement>(null);
  const chosen = view[name];
  useEffect(() => {
    const chip = line.current?.querySelector<HTMLElement>("[aria-current=true]");
    if (chip && line.current) line.current.scrollLeft = chip.offsetLeft - 60; // in sight where the line is pushed sideways
  }, [chosen]);
  return (
    <div ref={line} className="chips" role="group" aria-label={label}>
      {choices.map((c) => (
        <button
          key={c.value ?? ""}
          type="button"
          className="chip"
          aria-current={chosen === c.value}
          onClick={() => change({ [name]: chosen === c.value ? undefined : c.value })}
        >
          {c.label}
        </button>
      ))}
    </div>
  );
}
