// Follows a real server through faults, and compares what it holds with what REST answers at the same place.
import { deepStrictEqual } from "node:assert";

import type { Chain, StreamState } from "../src/index.js";
import { MarketClient } from "../src/index.js";
import { Rest } from "../src/rest.js";

const url = process.argv[2] as string;
const client = new MarketClient({ url, transports: ["websocket"] });
const rest = new Rest({ url });
const held = new Map<string, unknown>();
const stores = {
  chain: client.chain({ symbol: "NIFTY" }),
  other: client.chain({ symbol: "BANKNIFTY", strikes: 5, fields: "greeks" }),
  quote: client.quote("NIFTY"),
};
for (const [name, store] of Object.entries(stores)) {
  store.subscribe(() => {
    const { data, status } = store.getSnapshot() as StreamState<Chain>;
    if (data && status === "live") held.set(`${name} ${data.epoch}/${data.seq}`, data);
  });
}

const ask = {
  chain: () => rest.chain({ symbol: "NIFTY" }),
  other: () => rest.chain({ symbol: "BANKNIFTY", strikes: 5, fields: "greeks" }),
  quote: () => rest.quote("NIFTY"),
};
let compared = 0;
async function compare(times: number): Promise<void> {
  for (const [name, answer] of Object.entries(ask)) {
    for (let found = 0; found < times; ) {
      const served = (await answer()) as unknown as Chain;
      await new Promise((resolve) => setTimeout(resolve, 60));
      const mine = held.get(`${name} ${served.epoch}/${served.seq}`);
      if (mine === undefined) continue;
      deepStrictEqual(mine, served);
      found += 1;
      compared += 1;
    }
  }
}

await compare(2);
const faults = ["sequence_gap", "drop_sockets"];
for (const kind of faults) {
  await rest.bringAbout({ kind });
  held.clear();
  await compare(2);
}
client.close();
process.stdout.write(JSON.stringify({ compared, faults }));
process.exit(0);
