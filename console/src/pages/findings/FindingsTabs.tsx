import { Link, type LinkProps } from "@tanstack/react-router";
import { paths } from "../../paths";

const tabs: { title: string; link: LinkProps }[] = [
  { title: "Open", link: paths.findings() },
  { title: "Bulletins", link: paths.bulletins() },
  { title: "Support", link: paths.support() },
  { title: "Updated by nobody", link: paths.software() },
  { title: "Coverage", link: paths.coverage() },
];

/** The pages on what is known of all that is installed. */
export function FindingsTabs() {
  if (tabs.length < 2) return null;
  return (
    <nav className="tabs" aria-label="Pages on what is known">
      {tabs.map((t) => (
        <Link key={t.title} {...t.link} activeOptions={{ exact: true, includeSearch: false }}>{t.title}</Link>
      ))}
    </nav>
  );
}
