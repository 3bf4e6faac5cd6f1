import { NumberInput, Select, TextInput } from "@mantine/core";
import type { Window } from "../../api/types";
import { dayName, days, minutesOf, windowProblem } from "../../lib/windows";
import { Icon } from "../../ui/Icon";
import { zones } from "./zones";

interface Props {
  window: Window;
  siteZone: string;
  nth: number;
  change: (window: Window) => void;
  remove: () => void;
}

/** One weekly window: days, start, length, and a zone only where it is not the site's. */
export function WindowFields({ window: w, siteZone, nth, change, remove }: Props) {
  const wrong = windowProblem(w);
  return (
    <div className="window" role="group" aria-label={`Window ${nth}`}>
      <div className="window-days">
        {days.map((d) => {
          const on = w.days.includes(d);
          return (
            <button key={d} type="button" className="chip" aria-pressed={on} aria-current={on} title={dayName(d)}
              onClick={() => change({ ...w, days: days.filter((x) => (x === d ? !on : w.days.includes(x))) })}>
              {dayName(d).slice(0, 3)}
            </button>
          );
        })}
        <button type="button" className="plain window-remove" aria-label={`Remove window ${nth}`} title="Remove this window" onClick={remove}>
          <Icon name="close" size={14} />
        </button>
      </div>
      <div className="window-when">
        <TextInput size="xs" label="Start" w={92} value={w.start} inputMode="numeric" placeholder="22:00" onChange={(e) => change({ ...w, start: e.currentTarget.value })}
          error={minutesOf(w.start) === null} />
        <NumberInput size="xs" label="Hours" w={92} min={0.25} max={168} step={1} decimalScale={2} value={w.minutes / 60}
          onChange={(v) => change({ ...w, minutes: Math.round(Number(v) * 60) })} />
        <Select size="xs" label="Time zone" w={210} searchable limit={60} value={w.zone ?? siteZone}
          data={[{ value: siteZone, label: `${siteZone} (of the site)` }, ...zones().filter((z) => z !== siteZone)]}
          onChange={(zone) => change({ ...w, zone: !zone || zone === siteZone ? undefined : zone })} />
      </div>
      {wrong && <p className="window-wrong">{wrong}</p>}
    </div>
  );
}
