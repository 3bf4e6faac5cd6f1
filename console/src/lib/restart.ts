const weak = " (weak)";

/** Why a machine asks for a restart, and beside it what only waits for the next one and asks for none. */
export function restartReasons(reasons: string[] | null | undefined): { asks: string[]; waits: string[] } {
  const all = reasons ?? [];
  return {
    asks: all.filter((r) => !r.endsWith(weak)),
    waits: all.filter((r) => r.endsWith(weak)).map((r) => r.slice(0, -weak.length)),
  };
}
