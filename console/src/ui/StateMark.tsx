import type { State } from "../api/types";

/** One shape and colour for each state, so that colour is never alone. */
export function StateMark({ state, size = 10 }: { state: State; size?: number }) {
  return (
    <svg className="state-mark" data-state={state} width={size} height={size} viewBox="0 0 12 12" aria-hidden="true">
      {shape(state)}
    </svg>
  );
}

function shape(state: State) {
  const line = { fill: "none", stroke: "var(--state)", strokeWidth: 1.8 };
  switch (state) {
    case "verified":
      return <circle cx="6" cy="6" r="5.2" fill="var(--state)" />;
    case "moving":
      return (
        <>
          <circle cx="6" cy="6" r="4.9" {...line} />
          <path d="M6 1.100a4.900 4.900 0 0 1 0 9.800z" fill="var(--state)" />
        </>
      );
    case "waits_time":
      return <circle cx="6" cy="6" r="4.7" {...line} />;
    case "waits_person":
      return <path d="M6 .2 11.800 6 6 11.800.2 6z" fill="var(--waits_person-mark)" />;
    case "failed":
      return <rect x="1" y="1" width="10" height="10" rx="1" fill="var(--state)" />;
    case "excepted":
      return (
        <>
          <circle cx="6" cy="6" r="4.7" {...line} />
          <path d="M3.600 6h4.800" {...line} />
        </>
      );
    default:
      return (
        <>
          <circle cx="6" cy="6" r="5" fill="none" stroke="var(--state)" strokeWidth="1" />
          <path d="M1.800 7.200 7.200 1.800M2.600 9.400l6.800-6.800M4.800 10.200l5.400-5.400" stroke="var(--state)" strokeWidth="1.100" />
        </>
      );
  }
}
