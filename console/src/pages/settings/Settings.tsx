import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { sessionQuery } from "../../api/queries";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { Keys } from "./Keys";
import { Trust } from "./Trust";

export function Settings() {
  const query = useQuery(sessionQuery);
  return (
    <Page title="Settings" state="How you sign in, what acts in your name, who may order what, and what this installation is.">
      <Loaded query={query} what="The session could not be read.">
        {(s) => (
          <>
            <Section title="You">
              <dl className="facts">
                <dt>Name</dt><dd>{s.person?.name}</dd>
                <dt>Email</dt><dd>{s.person?.email}</dd>
                <dt>Second factor</dt>
                <dd>
                  {s.person?.totp ? (
                    "Set up: signing in asks for a code."
                  ) : (
                    <>Not set up. <Link className="link" {...paths.totp()}>Set it up</Link>: beyond this machine the console answers only with one.</>
                  )}
                </dd>
              </dl>
            </Section>
            <Section title="API keys" about="A key lets a program act in your name, through the REST API or the patchbay command. It ends by itself.">
              <Keys />
            </Section>
            <Section title="Trust" about="Who may sign what, and what devices hold this server to. It is changed with keys that no server has, by the patchbay command." id="trust">
              <Trust />
            </Section>
            <Section title="Installation">
              <dl className="facts">
                <dt>Name</dt><dd>{s.installation_name || "has none"}</dd>
                <dt>Version</dt><dd className="mono">{s.version}</dd>
                <dt>REST API</dt><dd><a className="link" href="/api/openapi.json">OpenAPI document</a></dd>
              </dl>
            </Section>
          </>
        )}
      </Loaded>
    </Page>
  );
}
