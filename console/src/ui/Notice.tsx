import { Link, type LinkProps } from "@tanstack/react-router";
import { createContext, use, useCallback, useState, type ReactNode } from "react";
import "../styles/parts.css";

interface Notice {
  id: number;
  text: string;
  link?: LinkProps;
  linkText?: string;
}

type Tell = (text: string, link?: LinkProps, linkText?: string) => void;

const Context = createContext<Tell>(() => undefined);

/** Tells that something was done. What failed is told in its place, not here. */
export const useNotice = (): Tell => use(Context);

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([]);
  const tell = useCallback<Tell>((text, link, linkText) => {
    const id = Math.random();
    setNotices((old) => [...old.slice(-2), { id, text, link, linkText }]);
    setTimeout(() => setNotices((old) => old.filter((n) => n.id !== id)), 7000);
  }, []);
  return (
    <Context value={tell}>
      {children}
      <div className="notices" role="status" aria-live="polite">
        {notices.map((n) => (
          <div key={n.id} className="notice">
            <span>{n.text}</span>
            {n.link && <Link {...n.link}>{n.linkText ?? "Show"}</Link>}
          </div>
        ))}
      </div>
    </Context>
  );
}
