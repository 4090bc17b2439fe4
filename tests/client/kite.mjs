// Kite's own JavaScript client, unmodified, against the mock: node kite.mjs '{"root": "http://localhost:6500"}'
import { KiteConnect, KiteTicker } from "kiteconnect";

const { root, seconds = 3 } = JSON.parse(process.argv[2]);
const kite = new KiteConnect({ api_key: "mock", root });
kite.default_login_uri = `${root}/connect/login`;
const report = {};

const attempt = async (call) => {
  try {
    await call();
    return null;
  } catch (error) {
    return { status: error.status, error_type: error.error_type, message: error.message };
  }
};

const page = await (await fetch(`${kite.getLoginURL()}&user=MOCK01`)).text();
const session = await kite.generateSession(page.match(/request_token: ([\w-]+)/)[1], "secret");
report.session = Object.keys(session);
kite.setAccessToken(session.access_token);
report.profile = await kite.getProfile();
report.margins = await kite.getMargins("equity");
const instruments = await kite.getInstruments();
report.instruments = instruments.length;
report.last = instruments.at(-1);
const near = instruments.filter((item) => item.name === "NIFTY" && item.instrument_type === "CE").slice(0, 50);
report.quote = await kite.getQuote(["NSE:NIFTY 50", "NSE:M&M", `NFO:${near[20].tradingsymbol}`]);
report.too_many = await attempt(() => kite.getLTP(["NSE:NIFTY 50"]));
report.history = await kite.getHistoricalData(256265, "day", "2026-10-01", "2026-11-20");
report.order = await attempt(() =>
  kite.placeOrder("regular", {
    exchange: "NSE", tradingsymbol: "INFY", transaction_type: "BUY", quantity: 1, product: "MIS", order_type: "MARKET",
  }),
);

const ticker = new KiteTicker({
  api_key: "mock", access_token: session.access_token, root: root.replace("http", "ws"), reconnect: false,
});
const tokens = [256265, 738561, ...near.map((item) => Number(item.instrument_token))];
const last = {};
let messages = 0;
let disconnects = 0;
ticker.on("ticks", (ticks) => {
  messages += 1;
  for (const tick of ticks) last[tick.instrument_token] = tick;
});
ticker.on("disconnect", () => (disconnects += 1));
ticker.on("connect", () => {
  ticker.subscribe(tokens);
  ticker.setMode(ticker.modeFull, tokens);
});
ticker.connect();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
Object.assign(report, {
  tokens, messages, disconnects, ticked: Object.keys(last).map(Number), index: last[256265], option: last[tokens[20]],
});
report.logout = await kite.invalidateAccessToken();
report.after = await attempt(() => kite.getProfile());
console.log(JSON.stringify(report));
process.exit(0);
