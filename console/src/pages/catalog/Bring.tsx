import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { fetchContent } from "../../api/acts";
import type { Installer } from "../../api/types";
import { CopyLine } from "../../ui/Copy";
import { useNotice } from "../../ui/Notice";
import { StateMark } from "../../ui/StateMark";
import { Trouble } from "../../ui/States";

/** A file that is named and not here: the act and the line that bring it. */
export function Bring({ file: i, plain }: { file: Installer; plain?: boolean }) {
  return (
    <div className="bring">
      {!plain && <span className="row" style={{ gap: 6 }}><StateMark state="waits_person" /> <b>not here</b></span>}
      {fetchable(i) && <FetchIt file={i} />}
      <CopyLine text={`patchbay content add ${fileArgument(i.file)}`} />
    </div>
  );
}

const fetchable = (i: Installer) => Boolean(i.url?.startsWith("https://"));

/** The file's name as one argument of a command line; a name that could be more is left for the reader to write. */
const fileArgument = (name = ""): string => (/^[\w.+][\w.+-]*$/.test(name) ? name : "FILE");

export function FetchIt({ file: i }: { file: Installer }) {
  const client = useQueryClient();
  const tell = useNotice();
  const fetch = useMutation({
    mutationFn: () => fetchContent(i.sha256, { url: i.url ?? "", size: i.size, name: i.file }),
    onSuccess: () => {
      tell(`This server fetches ${i.file || "the file"} from its maker.`);
      void client.invalidateQueries({ queryKey: ["content"] });
    },
  });
  return (
    <div className="stack" style={{ gap: 4 }}>
      <Button size="xs" variant="default" loading={fetch.isPending} onClick={() => fetch.mutate()} title={i.url}>Fetch it from its maker</Button>
      {fetch.error && <Trouble error={fetch.error} what="It is not fetched." />}
    </div>
  );
}
