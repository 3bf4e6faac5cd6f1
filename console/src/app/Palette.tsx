import { Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useState, type KeyboardEvent } from "react";
import { Icon } from "../ui/Icon";
import { Middle } from "../ui/Text";
import { useView } from "../ui/useView";
import { useFound, type Found } from "./useFound";
import "../styles/palette.css";

/** Ctrl K: finds devices, updates, customers, pages and acts. */
export default function Palette({ close }: { close: () => void }) {
  const [view] = useView();
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 120);
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const found = useFound(q, view.customer);
  const cursor = Math.min(at, Math.max(0, found.length - 1));

  const go = (item: Found | undefined) => {
    if (!item) return;
    close();
    void navigate(item.link);
  };
  const press = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Enter") go(found[cursor]);
    else if (step !== 0) setAt((cursor + step + found.length) % Math.max(1, found.length));
    else return;
    event.preventDefault();
  };
  return (
    <Modal opened onClose={close} withCloseButton={false} size={600} attributes={{ content: { "aria-label": "Find anything" } }} padding={0} centered={false} yOffset="14vh">
      <TextInput
        variant="unstyled"
        className="palette-field"
        data-autofocus
        role="combobox"
        aria-expanded
        aria-controls="palette-list"
        aria-activedescendant={found[cursor] ? `found-${cursor}` : undefined}
        aria-label="Find a device, an update, a customer or a page"
        placeholder="Find a device, an update, a customer or a page"
        leftSection={<Icon name="search" />}
        value={typed}
        onChange={(e) => {
          setTyped(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <ul id="palette-list" className="palette" role="listbox" aria-label="Found">
        {found.map((item, i) => (
          <li key={item.kind + item.text + item.hint + i} id={`found-${i}`} role="option" aria-selected={i === cursor}
            ref={i === cursor ? (line) => line?.scrollIntoView({ block: "nearest" }) : undefined}
            onMouseMove={() => setAt(i)} onClick={() => go(item)}>
            <Icon name={item.icon} />
            <span className="what"><Middle text={item.text} /></span>
            <span className="hint"><Middle text={item.hint} tail={6} /></span>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="palette-none">Nothing is called that. Try part of a name.</p>}
    </Modal>
  );
}
