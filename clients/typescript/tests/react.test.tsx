// @vitest-environment jsdom
import { act, memo, StrictMode } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";

import {
  MarketProvider, useCandles, useChainRow, useDashboard, useFeedStatus, useLine, useMarketStatus, useOptionChain, useQuote, useStrategy, withCandle,
} from "../src/react.js";
import { FakeServer } from "../src/testing.js";
import type { Candle, Chain, ChainRow } from "../src/types.js";

(globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
const EXPIRY = "2026-12-01";

function server(): FakeServer {
  const fake = new FakeServer();
  const option_chain = [100, 150, 200].map((strike_price) => ({ strike_price, ce_ltp: 1 }));
  fake.chains.set(`chain:NIFTY:${EXPIRY}`, { symbol: "NIFTY", expiry: EXPIRY, epoch: "e", seq: 1, stale: false, option_chain } as unknown as Chain);
  return fake;
}

const frames = () => act(() => new Promise<void>((resolve) => setTimeout(resolve, 60)));

test("a row renders only when it changes, under strict mode too", async () => {
  const fake = server();
  const rendered: Record<number, number> = {};
  const Row = memo(({ row }: { row: ChainRow }) => {
    rendered[row.strike_price] = (rendered[row.strike_price] ?? 0) + 1;
    return <li>{row.ce_ltp}</li>;
  });
  function Page() {
    const { data, status } = useOptionChain({ symbol: "NIFTY" });
    return <ul title={status}>{data?.option_chain.map((row) => <Row key={row.strike_price} row={row} />)}</ul>;
  }
  const root = document.createElement("div");
  const mounted = createRoot(root);
  const client = fake.client({ lingerMs: 50 });
  await act(async () => mounted.render(<StrictMode><MarketProvider client={client}><Page /></MarketProvider></StrictMode>));
  await frames();
  expect(root.textContent).toBe("111");
  const before = { ...rendered };
  fake.changeChain("NIFTY", EXPIRY, { rows: [{ strike_price: 150, ce_ltp: 9 }] });
  fake.changeChain("NIFTY", EXPIRY, { rows: [{ strike_price: 150, ce_ltp: 8 }] });
  await frames();
  expect(root.textContent).toBe("181");
  expect(rendered[100]).toBe(before[100]);
  expect(rendered[150]! - before[150]!).toBeLessThanOrEqual(2); // strict mode renders twice, for both changes at once
  expect(fake.received.filter((item) => item.event === "subscribe_option_chain")).toHaveLength(1);
  await act(async () => mounted.unmount());
  client.close();
});

test("a hook of one row hears of that row alone", async () => {
  const fake = server();
  let renders = 0;
  function Cell() {
    renders += 1;
    return <b>{useChainRow({ symbol: "NIFTY" }, 150)?.ce_ltp}</b>;
  }
  const root = document.createElement("div");
  const mounted = createRoot(root);
  const client = fake.client();
  await act(async () => mounted.render(<MarketProvider client={client}><Cell /></MarketProvider>));
  await frames();
  const before = renders;
  fake.changeChain("NIFTY", EXPIRY, { rows: [{ strike_price: 100, ce_ltp: 5 }] });
  await frames();
  expect(renders).toBe(before);
  fake.changeChain("NIFTY", EXPIRY, { rows: [{ strike_price: 150, ce_ltp: 5 }] });
  await frames();
  expect([root.textContent, renders]).toEqual(["5", before + 1]);
  await act(async () => mounted.unmount());
  client.close();
});

test("a candle replaces its older state, or follows", () => {
  const candle = (date: string, close: number) => ({ date, close }) as Candle;
  const before = [candle("1", 1), candle("2", 2)];
  expect(withCandle(before, candle("2", 3)).map((one) => one.close)).toEqual([1, 3]);
  expect(withCandle(before, candle("3", 3)).map((one) => one.close)).toEqual([1, 2, 3]);
  expect(withCandle(before, candle("0", 3))).toBe(before);
});

test("a page rendered on a server is taken over by the browser, and connects there alone", async () => {
  const fake = server();
  function Page() {
    const { data, status } = useOptionChain({ symbol: "NIFTY" });
    const others = [useQuote("NIFTY").status, useDashboard({ symbol: "NIFTY" }).status, useCandles("NIFTY", "1m").status, useLine()?.status];
    const none = [useChainRow({ symbol: "NIFTY" }, 150), useMarketStatus(), useFeedStatus(), useStrategy(null).data];
    return <p title={others.join()}>{status} {data?.option_chain.length ?? "no"} rows {none.filter((one) => one === null).length}</p>;
  }
  const within = (socket: ReturnType<FakeServer["socket"]>) => <StrictMode><MarketProvider socket={socket}><Page /></MarketProvider></StrictMode>;
  const html = renderToString(within(fake.socket()));
  expect(html).toContain("connecting");
  expect(fake.received).toEqual([]);
  const root = document.createElement("div");
  root.innerHTML = html;
  const problems: unknown[] = [];
  let mounted!: ReturnType<typeof hydrateRoot>;
  await act(async () => {
    mounted = hydrateRoot(root, within(fake.socket()), { onRecoverableError: (error) => problems.push(error) });
  });
  await frames();
  expect(problems).toEqual([]);
  expect(root.textContent).toContain("live 3 rows");
  await act(async () => mounted.unmount());
});
