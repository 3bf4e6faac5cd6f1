import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { product } from "../../api/queries";
import type { Product, ProductSurvey, Supported } from "../../api/types";
import { ownWords, speedWords, surveyWords } from "../../lib/products";
import { paidWords } from "../../lib/support";
import { count, list, number } from "../../lib/text";
import { paths } from "../../paths";
import { Loaded } from "../../ui/Loaded";
import { Page, Section } from "../../ui/Page";
import { Empty } from "../../ui/States";
import { Ago } from "../../ui/Time";
import { SupportState } from "../support/SupportState";
import "../../styles/list.css";
import "../../styles/support.css";

const again = 700; // milliseconds between two looks at how far the reading is

/** What should be known of a product before it is bought, or kept? */
export function ProductPage() {
  const { product: name } = useParams({ from: "/app/products/$product" });
  const query = useQuery({ ...product(name), refetchInterval: (q) => (q.state.data && !q.state.data.survey.done ? again : false) });
  const crumbs = [{ link: paths.support(), text: "Support" }];
  if (!query.data) {
    return (
      <Page title={name} crumbs={crumbs}>
        <Loaded query={query} what="What is known of this product could not be read.">{() => null}</Loaded>
      </Page>
    );
  }
  const p = query.data;
  return (
    <Page title={p.title} crumbs={crumbs} state={p.support} asOf={p.survey.at}>
      <Section title="Here" about="How installing and updating it went on the devices of this server.">
        <p>{ownWords(p.own)}</p>
      </Section>
      <Survey of={p.survey} />
      {p.cycles?.length ? <Cycles of={p} cycles={p.cycles} /> : null}
    </Page>
  );
}

/** What the feeds that hold say of it, also when no device has it. */
function Survey({ of: s }: { of: ProductSurvey }) {
  if (!s.done) {
    return (
      <Section title="What feeds say">
        <p role="status">{s.trouble ?? surveyWords(s)}</p>
        {s.of > 0 && <progress className="product-progress" max={s.of} value={s.read} aria-label="Feeds that are read" />}
      </Section>
    );
  }
  return (
    <>
      {s.trouble && <p className="notice-line">{s.trouble}</p>}
      <Section title="How often it is mended" about="Advisories that name it, by the year in which they came out.">
        {s.years?.length ? <Years years={s.years} /> : <Empty small title="No feed that holds here speaks of it by this name">That is not the same as nothing to mend: another name may say more, and what no feed tells is not known.</Empty>}
        {s.undated > 0 && <p className="dim small">{count(s.undated, "advisory", "advisories")} without a day {s.undated === 1 ? "is" : "are"} not in the picture.</p>}
        {s.cut && <p className="dim small">There is more than is counted here.</p>}
      </Section>
      <Section title="How fast" about="From the day on which a CVE was told to the first advisory that mends it."><p>{speedWords(s.speed)}</p></Section>
      <Section title="How one learns of it" about="Who tells what is wrong with it, of the feeds that hold here.">
        {s.sources?.length ? <Sources of={s.sources} /> : <Empty small title="Nobody tells" />}
        {s.packages?.length ? <p className="dim small">Taken for it: {list(s.packages.slice(0, 12))}{s.packages.length > 12 && ` and ${number(s.packages.length - 12)} more`}.</p> : null}
      </Section>
      <Section title="Known to be exploited" about="By CISA's catalogue, as far as that feed holds here.">
        {s.used?.length ? <Used of={s.used} /> : <Empty small title="Nothing of it is known to be exploited" />}
      </Section>
    </>
  );
}

function Years({ years }: { years: NonNullable<ProductSurvey["years"]> }) {
  const most = Math.max(1, ...years.map((y) => y.advisories));
  return (
    <ul className="bars product-years">
      {years.slice(0, 12).map((y) => (
        <li key={y.year}>
          <span className="dim">{y.year}</span>
          <span className="bars-line" aria-hidden="true"><span data-good style={{ width: `${(y.advisories / most) * 100}%` }} /></span>
          <span><b>{number(y.advisories)}</b> <span className="dim">{number(y.mending)} with a version that mends it</span></span>
        </li>
      ))}
    </ul>
  );
}

function Sources({ of }: { of: NonNullable<ProductSurvey["sources"]> }) {
  return (
    <table className="list" aria-label="Feeds that speak of it">
      <thead><tr><th scope="col" style={{ width: "22%" }}>Feed</th><th scope="col">Whose word it is</th><th scope="col" style={{ width: "130px" }}>The latest</th><th scope="col" className="num" style={{ width: "96px" }}>Advisories</th></tr></thead>
      <tbody>
        {of.map((s) => (
          <tr key={s.feed}>
            <td className="title"><Link className="main" {...paths.catalog({ tab: "feeds", q: s.feed })}>{s.feed}</Link></td>
            <td data-label="Whose word it is">{s.who}</td>
            <td data-label="The latest"><span className="dim"><Ago at={s.last} none="not known" /></span></td>
            <td className="num" data-label="Advisories">{number(s.advisories)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Used({ of }: { of: NonNullable<ProductSurvey["used"]> }) {
  return (
    <table className="list" aria-label="What attackers use of it">
      <thead><tr><th scope="col" style={{ width: "160px" }}>CVE</th><th scope="col">What</th><th scope="col" style={{ width: "130px" }}>Since</th></tr></thead>
      <tbody>
        {of.map((u) => (
          <tr key={u.cve}>
            <td className="title"><Link className="main nowrap" {...paths.finding(u.cve)}>{u.cve}</Link></td>
            <td>{u.title}{u.ransomware && <span className="tag exploited">ransomware</span>}</td>
            <td data-label="Since"><Ago at={u.added} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cycles({ of: p, cycles }: { of: Product; cycles: Supported[] }) {
  return (
    <Section title="End of support" about="By line of releases, the newest first. What has to be paid for is told and never counted.">
      <table className="list" aria-label="Lines of releases">
        <thead><tr><th scope="col" style={{ width: "30%" }}>Line of releases</th><th scope="col" style={{ width: "130px" }}>Support</th><th scope="col" style={{ width: "130px" }}>Last day</th><th scope="col">For those who pay</th></tr></thead>
        <tbody>
          {cycles.map((c) => (
            <tr key={c.cycle}>
              <td className="title"><span className="main">{p.title} {c.label ?? c.cycle}</span></td>
              <td data-label="Support"><SupportState of={c} /></td>
              <td data-label="Last day">{c.last ?? <span className="dim">not known</span>}</td>
              <td data-label="For those who pay"><span className="dim">{paidWords(c) || "–"}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
