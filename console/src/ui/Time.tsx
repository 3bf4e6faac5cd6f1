import { useSyncExternalStore } from "react";
import { exact, relative, since, nextMoment } from "../lib/time";

// One clock for the whole page. It ticks twice a minute while somebody looks at it.
const tick = 30_000;
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = Date.now(); // nobody looked for a while
    timer = setInterval(() => {
      now = Date.now();
      for (const l of listeners) l();
    }, tick);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

interface Props {
  at?: string | null;
  /** What to say when there is no such moment. */
  none?: string;
  /** The device's own zone, shown beside the reader's on hover. */
  zone?: string;
}

const hover = (at: string, zone?: string) => (zone ? `${exact(at)}\n${exact(at, zone)} at the device` : exact(at));

/** "3 min ago", with the exact moment on hover. */
export function Ago({ at, none = "never", zone }: Props) {
  const present = useNow();
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={hover(at, zone)}>
      {relative(at, present)}
    </time>
  );
}

/** "Tue", "14:05", "3 Mar": when something began. */
export function Since({ at, zone }: Props) {
  const present = useNow();
  if (!at) return null;
  return (
    <time dateTime={at} title={hover(at, zone)}>
      {since(at, present)}
    </time>
  );
}

/** "Sat 22:00 (in 3 days)": when something will be. */
export function Next({ at, none = "nothing planned", zone }: Props) {
  const present = useNow();
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={hover(at, zone)}>
      {nextMoment(at, present)} ({relative(at, present)})
    </time>
  );
}
