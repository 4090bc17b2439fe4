import { createContext, createElement, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { ReactNode } from "react";

import type { ChainArguments, Line, MarketClientOptions } from "./client.js";
import { MarketClient } from "./client.js";
import { Rest } from "./rest.js";
import type {
  Candle, Chain, ChainRow, ConnectionStatus, Dashboard, FeedStatus, Interval, MarketStatus, Quote, Store, Strategy, StrategyRequest, StreamState,
} from "./types.js";
import { MarketError } from "./types.js";

interface Market {
  client: MarketClient;
  rest: Rest;
}

const MarketContext = createContext<Market | null>(null);

export interface MarketProviderProps extends MarketClientOptions {
  /** One that you made yourself; else one is made of the other properties, and closed with the provider. */
  client?: MarketClient;
  rest?: Rest;
  /** What paths of REST begin with, behind a proxy's prefix: `/md`. */
  base?: string;
  children?: ReactNode;
}

/** Gives the components within it one connection to a server. */
export function MarketProvider({ client, rest, base = "", children, ...options }: MarketProviderProps) {
  const { url, token } = options;
  // made while rendering, so that a server renders what is within; connected where effects run, in a browser
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const used = useMemo(() => client ?? new MarketClient({ ...options, connect: false }), [client, url, token]);
  useEffect(() => {
    if (used === client) return;
    used.open();
    return () => used.close();
  }, [used, client]);
  const market = useMemo(
    () => ({ client: used, rest: rest ?? new Rest({ url: (url ?? "") + base, ...(token ? { token } : {}) }) }),
    [used, rest, url, base, token],
  );
  return createElement(MarketContext.Provider, { value: market }, children);
}

export function useMarket(): Market {
  const market = useContext(MarketContext);
  if (market === null) throw new Error("Hooks of a market need a <MarketProvider> around them.");
  return market;
}

function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}

/** The price of an underlying, live. */
export function useQuote(symbol: string): StreamState<Quote> {
  const { client } = useMarket();
  return useStore(useMemo(() => client.quote(symbol), [client, symbol]));
}

/** An option chain, live. Rows that did not change keep their identity: give them to `memo` components. */
export function useOptionChain(wanted: ChainArguments): StreamState<Chain> {
  return useStore(useChainStore(wanted));
}

function useChainStore({ symbol, expiry, strikes, fields }: ChainArguments): Store<StreamState<Chain>> {
  const { client } = useMarket();
  const shown = JSON.stringify(fields ?? "all");
  return useMemo(
    () => client.chain({ symbol, expiry, strikes, fields: JSON.parse(shown) }),
    [client, symbol, expiry, strikes, shown],
  );
}

const nothing = () => null;

/** One strike of a chain: renders only when that row changes. */
export function useChainRow(wanted: ChainArguments, strike: number): ChainRow | null {
  const store = useChainStore(wanted);
  const row = useCallback(
    () => store.getSnapshot().data?.option_chain.find((one) => one.strike_price === strike) ?? null,
    [store, strike],
  );
  return useSyncExternalStore(store.subscribe, row, nothing);
}

/** The figures of an expiry, live. */
export function useDashboard({ symbol, expiry }: { symbol: string; expiry?: string | undefined }): StreamState<Dashboard> {
  const { client } = useMarket();
  return useStore(useMemo(() => client.dashboard({ symbol, expiry }), [client, symbol, expiry]));
}

export interface CandlesState {
  candles: Candle[];
  status: StreamState<unknown>["status"];
  error: MarketError | null;
}

/** Candles of the past with the forming one at their end, live. */
export function useCandles(symbol: string, interval: Interval, count = 500): CandlesState {
  const { client, rest } = useMarket();
  const forming = useStore(useMemo(() => client.candle(symbol, interval), [client, symbol, interval]));
  const key = `${symbol} ${interval} ${count}`;
  const [past, setPast] = useState<{ key: string; candles: Candle[]; error: MarketError | null }>({ key: "", candles: [], error: null });
  const line = useStore(client.line);
  const isThere = line?.status === "connected";
  useEffect(() => {
    let isCurrent = true;
    rest.candles(symbol, { interval, per_page: count }).then(
      (found) => isCurrent && setPast({ key, candles: found.candles, error: null }),
      (error: MarketError) => isCurrent && setPast((before) => ({ key, candles: before.key === key ? before.candles : [], error })),
    );
    return () => {
      isCurrent = false;
    };
  }, [rest, symbol, interval, count, key, isThere]);
  const latest = forming.data;
  useEffect(() => {
    if (latest) setPast((before) => (before.key === key ? { ...before, candles: withCandle(before.candles, latest) } : before));
  }, [latest, key]);
  const candles = past.key === key ? past.candles : [];
  return { candles, status: forming.status, error: past.error ?? forming.error };
}

/** Candles with a newer state of one of them, or one more. */
export function withCandle(candles: Candle[], latest: Candle): Candle[] {
  const last = candles.at(-1);
  if (!last || latest.date > last.date) return [...candles, latest];
  const place = candles.findLastIndex((candle) => candle.date === latest.date);
  return place < 0 ? candles : candles.map((candle, index) => (index === place ? latest : candle));
}

/** The phases of the exchanges. */
export function useMarketStatus(): MarketStatus | null {
  return useStore(useMarket().client.marketStatus);
}

/** What the feed does, and what is the matter with it. */
export function useFeedStatus(): FeedStatus | null {
  return useStore(useMarket().client.feedStatus);
}

/** What the server said of itself when it let this client in. */
export function useConnection(): ConnectionStatus | null {
  return useStore(useMarket().client.connection);
}

/** Whether the connection is there. */
export function useLine(): Line | null {
  return useStore(useMarket().client.line);
}

export interface Asked<T> {
  data: T | null;
  error: MarketError | null;
  isLoading: boolean;
}

/** What a request answers: asked anew when `key` changes, and every `everyMs` if that is given. */
export function useAnswer<T>(key: string | null, ask: (rest: Rest) => Promise<T>, everyMs?: number): Asked<T> {
  const { rest } = useMarket();
  const [state, setState] = useState<Asked<T> & { key: string | null }>({ key: null, data: null, error: null, isLoading: true });
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) return;
    let isCurrent = true;
    const load = () =>
      latest.current(rest).then(
        (data) => isCurrent && setState({ key, data, error: null, isLoading: false }),
        (error: MarketError) =>
          isCurrent && setState((before) => ({ key, data: before.key === key ? before.data : null, error, isLoading: false })),
      );
    void load();
    const timer = everyMs ? setInterval(load, everyMs) : null;
    return () => {
      isCurrent = false;
      if (timer !== null) clearInterval(timer);
    };
  }, [rest, key, everyMs]);
  return state.key === key ? state : { data: null, error: null, isLoading: key !== null };
}

/** What a position of several legs comes to; null asks nothing. */
export function useStrategy(order: StrategyRequest | null, everyMs = 2_000): Asked<Strategy> {
  return useAnswer(order ? JSON.stringify(order) : null, (rest) => rest.strategy(order as StrategyRequest), everyMs);
}
