import { useSyncExternalStore } from "react";

export const PAGES = ["chain", "dashboard", "chart", "volatility", "strategy", "replay", "status"] as const;
export type PageName = (typeof PAGES)[number];

/** What the address says: it is all the state that a link carries. */
export interface Route {
  page: PageName;
  symbol: string;
  expiry: string | undefined;
  /** An instant of the past; live without it. */
  at: string | undefined;
  interval: string;
  columns: string;
  strikes: string;
  legs: string;
  contract: string;
}

const DEFAULTS: Record<keyof Route, string> = {
  page: "chain", symbol: "NIFTY", expiry: "", at: "", interval: "5m", columns: "quotes", strikes: "20", legs: "", contract: "",
};

const listeners = new Set<() => void>();
let current = parse();

function parse(): Route {
  const query = new URLSearchParams(location.search);
  const read = (name: keyof Route) => query.get(name) ?? DEFAULTS[name];
  const page = read("page") as PageName;
  return {
    page: PAGES.includes(page) ? page : "chain",
    symbol: read("symbol").toUpperCase(),
    expiry: read("expiry") || undefined,
    at: read("at") || undefined,
    interval: read("interval"), columns: read("columns"), strikes: read("strikes"), legs: read("legs"), contract: read("contract"),
  };
}

function tell(): void {
  current = parse();
  for (const listener of listeners) listener();
}
addEventListener("popstate", tell);

export function linkTo(change: Partial<Route>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...current, ...change })) {
    if (value && value !== DEFAULTS[name as keyof Route]) query.set(name, value);
  }
  return `?${query}`;
}

/** Go to what differs; `replace` leaves no step to go back to. */
export function go(change: Partial<Route>, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", linkTo(change));
  tell();
}

export function useRoute(): Route {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
