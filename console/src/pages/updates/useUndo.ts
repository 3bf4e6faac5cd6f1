import { useQuery } from "@tanstack/react-query";
import { previewApproval } from "../../api/acts";
import type { Update } from "../../api/types";

/** Why an update can be taken back nowhere; "" when it can somewhere, and nothing while that is not known. */
export function useUndo(u: Update): string | undefined {
  const { data } = useQuery({
    queryKey: ["update", "undo of", u.id],
    queryFn: () => previewApproval({ level: "msp", target: "", what: { update: u.id }, answer: "undo", reason: "preview" }),
  });
  return data && (data.needs > 0 ? "" : data.sentence);
}
