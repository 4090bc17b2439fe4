import type { Chain, Dashboard, MarketError, Status } from "indian-options-client";
import { useAnswer, useDashboard, useOptionChain } from "indian-options-client/react";

import { useRoute } from "./route.ts";

/** What a page shows, and how it stands: live from a stream, or as of an instant of the past. */
export interface Shown<T> {
  data: T | null;
  status: Status | "past" | "loading";
  asOf: string | null;
  error: MarketError | null;
}

const WINDOWS = { "5": 5, "10": 10, "20": 20, "40": 40 } as const;

/** The chain that the address names. */
export function useShownChain(expiry?: string): Shown<Chain> {
  const route = useRoute();
  const wanted = expiry ?? route.expiry;
  const strikes = WINDOWS[route.strikes as keyof typeof WINDOWS];
  const live = useOptionChain({ symbol: route.symbol, expiry: wanted, strikes });
  const key = route.at ? JSON.stringify([route.symbol, wanted, strikes, route.at]) : null;
  const past = useAnswer(key, (rest) => rest.chain({ symbol: route.symbol, ...(wanted ? { expiry: wanted } : {}), ...(strikes ? { strikes } : {}), at: route.at as string }));
  return shown(route.at, live, past);
}

/** The figures of the expiry that the address names, or of another one. */
export function useShownDashboard(): Shown<Dashboard> {
  const route = useRoute();
  const live = useDashboard({ symbol: route.symbol, expiry: route.expiry });
  const key = route.at ? JSON.stringify([route.symbol, route.expiry, route.at]) : null;
  const past = useAnswer(key, (rest) => rest.dashboard({ symbol: route.symbol, ...(route.expiry ? { expiry: route.expiry } : {}), at: route.at as string }));
  return shown(route.at, live, past);
}

function shown<T extends { as_of: string }>(
  at: string | undefined,
  live: { data: T | null; status: Status; asOf: string | null; error: MarketError | null },
  past: { data: T | null; error: MarketError | null; isLoading: boolean },
): Shown<T> {
  if (!at) return live;
  return { data: past.data, status: past.isLoading ? "loading" : "past", asOf: past.data?.as_of ?? null, error: past.error };
}
