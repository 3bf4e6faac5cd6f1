import { lazy, Suspense, useState, type ReactNode } from "react";
import { ActsContext, type Ask } from "./useActs";

const Decide = lazy(() => import("./Decide"));

export function Acts({ children }: { children: ReactNode }) {
  const [ask, setAsk] = useState<Ask | null>(null);
  return (
    <ActsContext value={setAsk}>
      {children}
      <Suspense>{ask && <Decide ask={ask} close={() => setAsk(null)} />}</Suspense>
    </ActsContext>
  );
}
