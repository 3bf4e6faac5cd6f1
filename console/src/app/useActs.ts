import { createContext, use } from "react";
import type { Level, What } from "../api/types";

export interface Scope {
  level: Level;
  target: string;
  /** Where it holds, as the end of a sentence: "on web-01", "at all customers". */
  where: string;
}

/** A decision somebody is asked to make. The dialog shows what it would do first. */
export interface Ask {
  answer: "approve" | "reject" | "undo";
  what: What;
  /** What is decided on: "openssl 3.0.17-1", "All security updates". */
  subject: string;
  /** What an undo of one need changes there. */
  change?: { from: string; to: string };
  /** Where it may hold, the likeliest first. */
  scopes: Scope[];
  security: boolean;
  now?: boolean;
  /** Packages that it would have to remove, as far as a failed attempt told. */
  removes?: string[];
}

export const ActsContext = createContext<(ask: Ask) => void>(() => undefined);

/** Asks a person to approve, reject or undo something. */
export const useDecide = () => use(ActsContext);
