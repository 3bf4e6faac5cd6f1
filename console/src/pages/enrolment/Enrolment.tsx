import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { revokeToken } from "../../api/acts";
import { tokens } from "../../api/queries";
import type { NewToken, State, Token } from "../../api/types";
import { number } from "../../lib/text";
import { List, type Column } from "../../ui/List";
import { Page, Section } from "../../ui/Page";
import { StateMark } from "../../ui/StateMark";
import { Empty } from "../../ui/States";
import { Middle } from "../../ui/Text";
import { Ago } from "../../ui/Time";
import { useNotice } from "../../ui/Notice";
import { useView } from "../../ui/useView";
import { MakeToken } from "./MakeToken";
import { Made } from "./Made";

const states: Record<Token["state"], [State, string]> = {
  open: ["moving", "Open"],
  used_up: ["verified", "Used up"],
  expired: ["gone", "Expired"],
  revoked: ["excepted", "Revoked"],
};

const columns: Column<Token>[] = [
  { key: "site", title: "Site", sort: "customer", narrow: "title", width: "26%", cell: (t) => <span className="main"><Middle text={`${t.customer.name}, ${t.site.name}`} /></span> },
  {
    key: "state",
    title: "State",
    width: "120px",
    narrow: "plain",
    cell: (t) => {
      const [state, word] = states[t.state];
      return <span className="verdict" data-state={state}><StateMark state={state} /><span className="words">{word}</span></span>;
    },
  },
  { key: "used", title: "Used", number: true, width: "96px", cell: (t) => `${number(t.used)} of ${number(t.max_uses)}` },
  { key: "mode", title: "Mode", width: "108px", narrow: "plain", cell: (t) => <span className="dim">{t.mode === "manage" ? "manages" : "observes"}</span> },
  { key: "expires", title: "Expires", sort: "expires_at", width: "116px", cell: (t) => <Ago at={t.expires_at} /> },
  { key: "note", title: "Note", narrow: "plain", wide: true, cell: (t) => <span className="dim"><Middle text={t.note ?? ""} /></span> },
  {
    key: "made",
    title: "Made",
    sort: "created_at",
    narrow: "hide",
    wide: true,
    width: "20%",
    cell: (t) => <span className="dim"><Ago at={t.created_at} />{t.created_by && ` by ${t.created_by}`}</span>,
  },
  { key: "act", title: "", width: "96px", number: true, narrow: "plain", cell: (t) => t.state === "open" && <Revoke token={t} /> },
];

function Revoke({ token: t }: { token: Token }) {
  const client = useQueryClient();
  const tell = useNotice();
  const revoke = useMutation({
    mutationFn: () => revokeToken(t.id),
    onSuccess: () => {
      tell("The token is revoked. Nobody can enrol with it any more.");
      return client.invalidateQueries({ queryKey: ["token"] });
    },
    onError: (error) => tell(error.message),
  });
  return <Button size="compact-xs" variant="default" loading={revoke.isPending} onClick={() => revoke.mutate()}>Revoke</Button>;
}

/** Who may bring a machine in, and with what. */
export function Enrolment() {
  const [view] = useView();
  const [made, setMade] = useState<NewToken | null>(null);
  const query = useInfiniteQuery(tokens({ customer: view.customer, site: view.site, sort: view.sort }));
  return (
    <Page title="Enrolment" state="One line on a machine enrols it into a site. The line carries a token that expires and can be revoked.">
      {made ? <Made token={made} again={() => setMade(null)} /> : <MakeToken made={setMade} />}
      <Section title="Tokens">
        <List
          label="Tokens"
          noun={["token", "tokens"]}
          columns={columns}
          query={query}
          rowKey={(t) => t.id}
          empty={<Empty small title="No token was made yet">What you make above is listed here, with how often it was used.</Empty>}
        />
      </Section>
    </Page>
  );
}
