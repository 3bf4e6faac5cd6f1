import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import type { View } from "../router";

type Change = Partial<Record<keyof View, string | undefined>>;

/** What is being looked at, as the URL says it, and how to look at something else. */
export function useView(): [View, (change: Change, replace?: boolean) => void] {
  const view = useSearch({ from: "/app" });
  const navigate = useNavigate();
  const change = useCallback(
    (to: Change, replace = true) =>
      void navigate({ to: ".", search: (old: View) => ({ ...old, ...to }), replace, resetScroll: false }),
    [navigate],
  );
  return [view, change];
}
