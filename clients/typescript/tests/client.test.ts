import { afterEach, describe, expect, test, vi } from "vitest";

import { chainAfter } from "../src/delta.js";
import { Rest } from "../src/rest.js";
import { FakeServer } from "../src/testing.js";
import type { Chain, StreamState } from "../src/types.js";

const NEAR = "2026-12-01";
const NEXT = "2026-12-08";
const row = (strike_price: number, ce_ltp = 1) => ({ strike_price, is_atm: false, ce_ltp });

function chain(expiry = NEAR, seq = 1): Chain {
  return {
    symbol: "NIFTY", expiry, epoch: "e", seq, stale: false, as_of: "2026-11-23T04:30:00.000Z", pcr_oi: 1,
    option_chain: [row(100), row(150), row(200)],
  } as unknown as Chain;
}

function server(): FakeServer {
  const made = new FakeServer();
  made.chains.set(`chain:NIFTY:${NEAR}`, chain());
  return made;
}

/** Let microtasks and frames go by. */
const settle = () => vi.waitFor(async () => void (await new Promise((resolve) => setTimeout(resolve, 5))));

const clients: { close(): void }[] = [];
function clientOf(fake: FakeServer, options = {}) {
  const client = fake.client(options);
  clients.push(client);
  return client;
}
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  vi.useRealTimers();
});

describe("deltas", () => {
  test("rows that did not change keep their identity", () => {
    const before = chain();
    const after = chainAfter(before, { epoch: "e", prev_seq: 1, seq: 2, rows: [{ strike_price: 150, ce_ltp: 2 }] });
    expect(after.option_chain[0]).toBe(before.option_chain[0]);
    expect(after.option_chain[1]).toEqual(row(150, 2));
    expect(before.option_chain[1]).toEqual(row(150));
    expect([after.seq, "prev_seq" in after, "rows" in after]).toEqual([2, false, false]);
  });

  test("strikes come in their place and leave", () => {
    const after = chainAfter(chain(), { epoch: "e", prev_seq: 1, seq: 2, rows: [row(125)], removed: [200] });
    expect(after.option_chain.map((one) => one.strike_price)).toEqual([100, 125, 150]);
  });

  test("a sign of life changes no row and not the list", () => {
    const before = chain();
    expect(chainAfter(before, { epoch: "e", prev_seq: 1, seq: 1 }).option_chain).toBe(before.option_chain);
  });
});

describe("streams", () => {
  test("ten listeners are one subscription, and the last one leaves it", async () => {
    const fake = server();
    const client = clientOf(fake);
    const leave = Array.from({ length: 10 }, () => client.chain({ symbol: "NIFTY" }).subscribe(() => {}));
    await settle();
    const asked = () => fake.received.map((item) => item.event);
    expect(asked().filter((event) => event === "subscribe_option_chain")).toHaveLength(1);
    leave.slice(1).forEach((end) => end());
    await settle();
    expect(asked()).not.toContain("unsubscribe_option_chain");
    leave[0]!();
    await settle();
    expect(asked().filter((event) => event === "unsubscribe_option_chain")).toHaveLength(1);
  });

  test("what is mounted twice is followed once", async () => {
    const fake = server();
    const client = clientOf(fake, { lingerMs: 30 });
    client.chain({ symbol: "NIFTY" }).subscribe(() => {})();
    const store = client.chain({ symbol: "NIFTY" });
    store.subscribe(() => {});
    await settle();
    expect(fake.received.map((item) => item.event)).toEqual(["subscribe_option_chain"]);
    expect(store.getSnapshot().status).toBe("live");
  });

  test("snapshot, delta, and a gap that is asked for once", async () => {
    const fake = server();
    const client = clientOf(fake);
    const store = client.chain({ symbol: "NIFTY", strikes: 10, fields: "quotes" });
    const seen: StreamState<Chain>[] = [];
    store.subscribe(() => seen.push(store.getSnapshot()));
    await settle();
    fake.changeChain("NIFTY", NEAR, { rows: [{ strike_price: 150, ce_ltp: 7 }], pcr_oi: 2 });
    await settle();
    expect(store.getSnapshot().data).toMatchObject({ seq: 2, pcr_oi: 2 });
    for (const seq of [8, 9]) {
      fake.send("option_chain_delta", { symbol: "NIFTY", expiry: NEAR, epoch: "e", prev_seq: seq, seq: seq + 1 } as never);
    }
    await settle();
    const resumed = fake.received.filter((item) => item.event === "resume");
    expect(resumed).toHaveLength(1);
    expect(resumed[0]!.payload.streams).toEqual([
      { stream: `chain:NIFTY:${NEAR}`, epoch: "e", seq: 2, strikes: 10, fields: "quotes", rolls: true },
    ]);
    expect(store.getSnapshot()).toMatchObject({ status: "live", data: { seq: 2 } });
  });

  test("a symbol is taken in any case, as the server does", async () => {
    const fake = server();
    const client = clientOf(fake);
    const store = client.chain({ symbol: "nifty" });
    store.subscribe(() => {});
    await settle();
    expect(store.getSnapshot()).toMatchObject({ status: "live", data: { symbol: "NIFTY" } });
  });

  test("a lost line marks what is held at once, and resumes", async () => {
    const fake = server();
    const client = clientOf(fake);
    const store = client.chain({ symbol: "NIFTY" });
    store.subscribe(() => {});
    await settle();
    fake.disconnect();
    expect(store.getSnapshot()).toMatchObject({ status: "reconnecting", data: { seq: 1 } });
    fake.reconnect();
    await settle();
    expect(store.getSnapshot().status).toBe("live");
  });

  test("silence is stale, and so is what the server says is", async () => {
    const fake = server();
    vi.useFakeTimers();
    const client = clientOf(fake);
    const store = client.chain({ symbol: "NIFTY" });
    store.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(100);
    expect(store.getSnapshot().status).toBe("live");
    await vi.advanceTimersByTimeAsync(14_000);
    expect(store.getSnapshot().status).toBe("stale");
    fake.changeChain("NIFTY", NEAR, {});
    expect(store.getSnapshot().status).toBe("live");
    fake.changeChain("NIFTY", NEAR, { stale: true });
    expect(store.getSnapshot().status).toBe("stale");
  });

  test("a refusal is told with its code, and one that may pass is asked again", async () => {
    const fake = server();
    vi.useFakeTimers();
    let tries = 0;
    fake.answer("subscribe_option_chain", () => {
      tries += 1;
      return Object.assign(new Error("No data has arrived yet."), { code: tries < 2 ? "FEED_UNAVAILABLE" : "UNKNOWN_SYMBOL" });
    });
    const client = clientOf(fake);
    const store = client.chain({ symbol: "NIFTI" });
    store.subscribe(() => {});
    await vi.advanceTimersByTimeAsync(100);
    expect(store.getSnapshot()).toMatchObject({ status: "refused", error: { code: "FEED_UNAVAILABLE" } });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(store.getSnapshot()).toMatchObject({ status: "refused", error: { code: "UNKNOWN_SYMBOL" } });
    expect(tries).toBe(2);
  });

  test("a chain without an expiry goes over to the next one, one with an expiry ends", async () => {
    const fake = server();
    const client = clientOf(fake);
    const [rolling, ending] = [client.chain({ symbol: "NIFTY" }), client.chain({ symbol: "NIFTY", expiry: NEAR })];
    rolling.subscribe(() => {});
    ending.subscribe(() => {});
    await settle();
    fake.send("subscription_status", {
      stream: `chain:NIFTY:${NEAR}`, symbol: "NIFTY", expiry: NEAR, status: "expired", successor: `chain:NIFTY:${NEXT}`, rolls: true,
    } as never);
    fake.send("option_chain_data", { ...chain(NEXT), reason: "expired" });
    await settle();
    expect(rolling.getSnapshot()).toMatchObject({ status: "live", data: { expiry: NEXT } });
    expect(ending.getSnapshot()).toMatchObject({ status: "expired", data: { expiry: NEAR } });
  });

  test("the nearest chain and a later one of a symbol are not taken for each other", async () => {
    const fake = new FakeServer();
    fake.chains.set(`chain:NIFTY:${NEAR}`, chain(NEAR));
    fake.chains.set(`chain:NIFTY:${NEXT}`, chain(NEXT));
    const client = clientOf(fake);
    const [later, nearest] = [client.chain({ symbol: "NIFTY", expiry: NEXT }), client.chain({ symbol: "NIFTY" })];
    later.subscribe(() => {});
    nearest.subscribe(() => {});
    await settle();
    expect(later.getSnapshot().data?.expiry).toBe(NEXT);
    expect(nearest.getSnapshot().data?.expiry).toBe(NEAR);
    fake.changeChain("NIFTY", NEXT, { rows: [{ strike_price: 150, ce_ltp: 9 }] });
    await settle();
    expect([later.getSnapshot().data?.seq, nearest.getSnapshot().data?.seq]).toEqual([2, 1]);
  });

  test("what several want of one chain is asked for once, wide enough for all", async () => {
    const fake = server();
    const client = clientOf(fake);
    client.chain({ symbol: "NIFTY", strikes: 5, fields: "quotes" }).subscribe(() => {});
    await settle();
    client.chain({ symbol: "NIFTY", strikes: 20, fields: "greeks" }).subscribe(() => {});
    await settle();
    expect(fake.received.map((item) => item.payload)).toEqual([
      { symbol: "NIFTY", strikes: 5, fields: "quotes" },
      { symbol: "NIFTY", strikes: 20 },
    ]);
  });
});

describe("rest", () => {
  test("the envelope is taken off, and a refusal has its code", async () => {
    const asked: string[] = [];
    const answers = [
      { success: true, data: { symbol: "M&M" } },
      { success: false, message: "The symbol NIFTI is not listed.", error: { code: "UNKNOWN_SYMBOL", details: { close_matches: ["NIFTY"] } } },
    ];
    const rest = new Rest({
      url: "http://market",
      fetch: (async (url: string) => {
        asked.push(url);
        return new Response(JSON.stringify(answers[asked.length - 1]), { status: asked.length === 1 ? 200 : 404 });
      }) as typeof fetch,
    });
    expect(await rest.quote("M&M")).toEqual({ symbol: "M&M" });
    await expect(rest.chain({ symbol: "NIFTI" })).rejects.toMatchObject({ code: "UNKNOWN_SYMBOL", status: 404, details: { close_matches: ["NIFTY"] } });
    expect(asked).toEqual(["http://market/api/spot_price/M%26M", "http://market/api/option_chain?symbol=NIFTI"]);
  });
});
