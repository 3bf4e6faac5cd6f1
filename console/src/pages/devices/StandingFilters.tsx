import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { groups } from "../../api/queries";
import { roles, roleWords } from "../../lib/standing";
import { useView } from "../../ui/useView";

/** Which devices: those of one role, those of one group. */
export function StandingFilters() {
  const [view, change] = useView();
  const known = useQuery(groups(view.customer)).data?.items ?? [];
  return (
    <div className="filters">
      <Select size="xs" className="filter" aria-label="Role" placeholder="Any role" clearable data={roles.map((r) => ({ value: r, label: roleWords[r] }))}
        value={view.role ?? null} onChange={(role) => change({ role: role ?? undefined })} />
      {(known.length > 0 || view.group) && (
        <Select size="xs" className="filter" aria-label="Group" placeholder="Any group" clearable searchable={known.length > 8}
          data={known.map((g) => ({ value: g.id, label: view.customer ? g.name : `${g.name} · ${g.customer.name}` }))}
          value={view.group ?? null} onChange={(group) => change({ group: group ?? undefined })} />
      )}
    </div>
  );
}
