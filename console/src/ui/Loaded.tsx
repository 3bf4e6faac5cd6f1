import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Trouble, Waiting } from "./States";

interface Props<T> {
  query: UseQueryResult<T>;
  what: string;
  children: (data: T) => ReactNode;
  lines?: number;
}

/** Shows what was asked for, or that it is coming, or why it is not. */
export function Loaded<T>({ query, what, children, lines }: Props<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Trouble error={query.error} what={what} retry={() => void query.refetch()} />;
  return <Waiting lines={lines} />;
}
