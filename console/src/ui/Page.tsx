import type { ReactNode } from "react";
import { Link, type LinkProps } from "@tanstack/react-router";
import { Ago } from "./Time";
import { Middle } from "./Text";

interface Props {
  title: string;
  /** One sentence of state, and how old it is. */
  state?: ReactNode;
  asOf?: string;
  act?: ReactNode;
  crumbs?: { link: LinkProps; text: string }[];
  children: ReactNode;
}

/** The anatomy every page has: title, one sentence of state with its age, the act on the right. */
export function Page({ title, state, asOf, act, crumbs = [], children }: Props) {
  return (
    <div className="page">
      <title>{`${title} · Patchbay`}</title>
      <header className="page-head">
        <div>
          {crumbs.length > 0 && (
            <nav className="crumb" aria-label="Above this page">
              {crumbs.map(({ link, text }, i) => (
                <span key={text} className="row" style={{ flexWrap: "nowrap", gap: 6, minWidth: 0 }}>
                  {i > 0 && <span aria-hidden="true">/</span>}
                  <Link {...link}><Middle text={text} /></Link>
                </span>
              ))}
            </nav>
          )}
          <h1>{title}</h1>
          {(state || asOf) && (
            <p className="page-state">
              {state} {asOf && <span className="nowrap">As of <Ago at={asOf} />.</span>}
            </p>
          )}
        </div>
        {act && <div className="page-act">{act}</div>}
      </header>
      {children}
    </div>
  );
}

interface SectionProps {
  title: string;
  about?: ReactNode;
  act?: ReactNode;
  children: ReactNode;
  id?: string;
}

export function Section({ title, about, act, children, id }: SectionProps) {
  return (
    <section className="section" aria-label={title} id={id}>
      <header>
        <h2>{title}</h2>
        {about ? <p>{about}</p> : <span />}
        {act}
      </header>
      {children}
    </section>
  );
}
