import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { confirmTotp, prepareTotp } from "../../api/acts";
import { sessionQuery } from "../../api/queries";
import { paths } from "../../paths";
import { client } from "../../router";
import { Copy } from "../../ui/Copy";
import { Loaded } from "../../ui/Loaded";
import { Trouble } from "../../ui/States";
import { Door } from "./Door";

/** Enrols the second factor. Beyond this machine nothing else answers before. */
export function Totp() {
  const session = useQuery(sessionQuery).data;
  const fresh = useQuery({ queryKey: ["totp"], queryFn: () => prepareTotp(), staleTime: Infinity, gcTime: 0, retry: false });
  return (
    <Door
      title="Set up a second factor"
      about={session?.totp_required ? "This server can be reached from beyond its own machine. It answers once you sign in with a code as well." : "Signing in then also asks for a code from your phone."}
      foot={!session?.totp_required && <Link className="link" {...paths.settings()}>Not now</Link>}
    >
      <div style={{ marginTop: 16 }}>
        <Loaded query={fresh} what="No second factor was prepared.">
          {(t) => <Confirm totp={t} />}
        </Loaded>
      </div>
    </Door>
  );
}

function Confirm({ totp: t }: { totp: { secret: string; qr_svg: string } }) {
  const [code, setCode] = useState("");
  const navigate = useNavigate();
  const confirm = useMutation({
    mutationFn: () => confirmTotp(code),
    onSuccess: async (session) => {
      client.setQueryData(sessionQuery.queryKey, session);
      await navigate(paths.home());
    },
  });
  return (
    <form onSubmit={(e) => { e.preventDefault(); confirm.mutate(); }}>
      <p>1. Scan this with an authenticator app.</p>
      <img className="qr" alt="The secret as a QR code; it is also written below" src={`data:image/svg+xml;utf8,${encodeURIComponent(t.qr_svg)}`} width={208} height={208} />
      <details>
        <summary>The phone cannot scan</summary>
        <div className="copy-line" style={{ marginTop: 8 }}><code>{t.secret.replace(/(.{4})/g, "$1 ").trim()}</code><Copy text={t.secret} /></div>
      </details>
      <TextInput label="2. Type the code it shows" inputMode="numeric" autoComplete="one-time-code" required autoFocus maxLength={7} value={code}
        onChange={(e) => setCode(e.currentTarget.value.replace(/\s/g, ""))} />
      {confirm.error && <Trouble error={confirm.error} what="The second factor is not set up yet." />}
      <Button type="submit" loading={confirm.isPending}>Turn the second factor on</Button>
    </form>
  );
}
