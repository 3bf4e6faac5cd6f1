import { Menu, useMantineColorScheme } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, type LinkProps } from "@tanstack/react-router";
import { signOut } from "../api/acts";
import { overview, sessionQuery } from "../api/queries";
import { number } from "../lib/text";
import { paths } from "../paths";
import { client } from "../router";
import { Icon, type IconName } from "../ui/Icon";
import { Mark } from "../ui/Mark";
import { useView } from "../ui/useView";
import { CustomerSwitcher } from "./CustomerSwitcher";

const entries: { icon: IconName; text: string; link: LinkProps }[] = [
  { icon: "home", text: "Home", link: paths.home() },
  { icon: "needs", text: "Needs", link: paths.needs() },
  { icon: "devices", text: "Devices", link: paths.devices() },
  { icon: "updates", text: "Updates", link: paths.updates() },
  { icon: "findings", text: "Findings", link: paths.findings() },
  { icon: "catalog", text: "Catalogue", link: paths.catalog() },
  { icon: "customers", text: "Customers", link: paths.customers() },
  { icon: "enrolment", text: "Enrolment", link: paths.enrolment() },
  { icon: "jobs", text: "Jobs", link: paths.jobs() },
  { icon: "activity", text: "Activity", link: paths.activity() },
];

export function Rail({ find, narrow = false }: { find: () => void; narrow?: boolean }) {
  const session = useQuery(sessionQuery).data;
  return (
    <>
      {!narrow && (
        <Link className="brand" {...paths.home()}>
          <Mark />
          <span>
            Patchbay
            {session?.installation_name && <small>{session.installation_name}</small>}
          </span>
        </Link>
      )}
      {!narrow && <CustomerSwitcher />}
      <button type="button" className="find" onClick={find}>
        <Icon name="search" size={14} /> Find <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Pages">
        {entries.map((e) => (
          <Link key={e.text} {...e.link} activeOptions={{ exact: e.text === "Home", includeSearch: false }}>
            <Icon name={e.icon} /> {e.text}
            {e.text === "Needs" && <Waiting />}
          </Link>
        ))}
      </nav>
      <div className="rail-foot">
        <nav aria-label="Installation">
          <Link {...paths.settings()}>
            <Icon name="settings" /> Settings
          </Link>
        </nav>
        <Me name={session?.person?.name ?? ""} email={session?.person?.email ?? ""} />
      </div>
    </>
  );
}

/** How many needs wait for a person, in the scope chosen above. */
function Waiting() {
  const [view] = useView();
  const waits = useQuery(overview(view.customer)).data?.posture.waits_person ?? 0;
  if (waits === 0) return null;
  return <span className="badge" title={`${number(waits)} wait for a person`}>{number(waits)}</span>;
}

function Me({ name, email }: { name: string; email: string }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const leave = useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      client.clear();
      await navigate(paths.signIn());
    },
  });
  const initials = name.split(/\s+/).map((w) => w.charAt(0)).slice(0, 2).join("").toUpperCase();
  return (
    <Menu position="top-start" width={220}>
      <Menu.Target>
        <button type="button" className="me" title={`Signed in as ${email}`}>
          <span className="initials" aria-hidden="true">{initials || "?"}</span>
          <span className="middle"><span>{name}</span></span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{email}</Menu.Label>
        {(["auto", "light", "dark"] as const).map((scheme) => (
          <Menu.Item key={scheme} onClick={() => setColorScheme(scheme)} aria-current={colorScheme === scheme}
            rightSection={colorScheme === scheme && <Icon name="check" size={14} />}>
            {scheme === "auto" ? "Theme of the system" : scheme === "light" ? "Light" : "Dark"}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={() => leave.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
