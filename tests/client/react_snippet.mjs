// Runs the React hook of README.md as it stands there, in a real React on a DOM, and compares what it holds
// with what REST answers for the same state.   node react_snippet.mjs http://localhost:5000
import { deepStrictEqual } from "node:assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GlobalRegistrator } from "@happy-dom/global-registrator";

const UPDATES = 5;
const [url] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const nodeFetch = globalThis.fetch;
const { WebSocket: nodeWebSocket, XMLHttpRequest: _, setTimeout: wait } = globalThis;
GlobalRegistrator.register({ url: "http://localhost:3000/" });
globalThis.WebSocket = nodeWebSocket;
globalThis.IS_REACT_ACT_ENVIRONMENT = false;

const readme = readFileSync(join(here, "..", "..", "README.md"), "utf8");
const snippet = readme.match(/```jsx\n([\s\S]*?)```/)[1];
const file = join(here, `.snippet-${process.pid}.mjs`);
writeFileSync(file, snippet);

try {
  const { useOptionChain } = await import(file);
  const { createElement } = await import("react");
  const { createRoot } = await import("react-dom/client");
  const seen = new Map();
  let done;
  const enough = new Promise((resolve) => (done = resolve));
  function Screen() {
    const chain = useOptionChain("NIFTY", url);
    if (chain) seen.set(`${chain.epoch} ${chain.seq}`, chain);
    if (seen.size > UPDATES) done();
    return createElement("p", null, chain ? chain.spot_price : "…");
  }
  const root = createRoot(document.body.appendChild(document.createElement("div")));
  root.render(createElement(Screen));
  await enough;
  let compared = 0;
  while (compared < UPDATES) {
    const answer = await (await nodeFetch(`${url}/api/option_chain?symbol=NIFTY&strikes=10`)).json();
    const mine = seen.get(`${answer.data.epoch} ${answer.data.seq}`);
    if (mine) {
      deepStrictEqual(mine, answer.data);
      compared += 1;
    }
    await new Promise((resolve) => wait(resolve, 20));
  }
  root.unmount();
  console.log(JSON.stringify({ updates: seen.size, compared }));
} finally {
  rmSync(file);
}
process.exit(0);
