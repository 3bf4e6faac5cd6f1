import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { customer, customers } from "../api/queries";
import { Icon } from "../ui/Icon";
import { useView } from "../ui/useView";

const all = "all";

/** Scopes every page to one customer. The choice lives in the URL and nowhere else. */
export function CustomerSwitcher() {
  const [view, change] = useView();
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed, 150);
  const chosen = useQuery({ ...customer(view.customer ?? ""), enabled: Boolean(view.customer) }).data;
  const found = useInfiniteQuery(customers({ sort: "name", limit: 30, q: q === chosen?.name || q === "All customers" ? "" : q }));
  const rows = found.data?.pages[0]?.items ?? [];

  const options = [{ value: all, label: "All customers" }, ...rows.map((c) => ({ value: c.id, label: c.name }))];
  if (view.customer && !options.some((o) => o.value === view.customer)) {
    options.push({ value: view.customer, label: chosen?.name ?? "…" });
  }
  return (
    <Select
      className="switcher"
      aria-label="Customer shown"
      data={options}
      value={view.customer ?? all}
      onChange={(value) => change({ customer: value === all ? undefined : (value ?? undefined), need: undefined }, false)}
      searchable
      onSearchChange={setTyped}
      filter={({ options: o }) => o}
      nothingFoundMessage="No customer of that name"
      maxDropdownHeight={420}
      rightSection={<Icon name="updown" size={14} />}
      comboboxProps={{ width: "target", shadow: "md" }}
      styles={{ input: { fontWeight: 540, textOverflow: "ellipsis", ...(view.customer ? { borderColor: "var(--accent)" } : {}) } }}
      onFocus={(e) => e.currentTarget.select()}
    />
  );
}
