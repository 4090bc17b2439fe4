// Asks and reads as the SMD front end does: its calls, its fields, its fallbacks, none of our rules. What it
// would show stands in window.shown, by the name of its call.
import { io } from "socket.io-client";

const api = new URLSearchParams(location.search).get("server") ?? "";
const shown: Record<string, unknown> = {};
Object.assign(window, { shown });

async function get(path: string, init?: RequestInit): Promise<any> {
  const response = await fetch(api + path, { headers: { "Content-Type": "application/json" }, ...init });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function show(name: string, ask: () => Promise<unknown>) {
  try {
    shown[name] = await ask();
  } catch (error) {
    shown[name] = { failed: String(error) };
  }
}

async function everything(symbol: string) {
  await show("optionChain", async () => {
    const answer = await get(`/api/real-data/option-chain/${symbol}`);
    return answer && answer.data ? answer.data : answer;
  });
  await show("customOptionChain", () => get(`/api/custom_option_chain?index=${symbol}`));
  await show("ohlc", () => get(`/api/ohlc_data/${symbol}`));
  await show("underlyingOhlc", () => get(`/api/underlying_ohlc/${symbol}`));
  await show("historicalOhlc", async () => {
    const span = new URLSearchParams({ symbol, from: "2026-11-16", to: "2026-11-20", interval: "day" });
    return (await get(`/api/ohlc_data/${symbol}?${span}`)).data || [];
  });
  await show("dashboard", () => get(`/api/dashboard_data?symbol=${symbol}`));
  await show("symbols", async () => {
    const answer = await get("/api/real-data/all-symbols");
    return answer?.data || answer || {};
  });
  await show("expiries", async () => (await get(`/api/real-data/expiries/${symbol}`)).data?.expiry_dates || []);
  await show("greeks", () => get(`/api/greeks_data?symbol=${symbol}`));
  await show("spot", async () => {
    const answer = await get(`/api/spot_price/${symbol}`);
    return {
      price: answer.spot_price || answer.price || 0,
      change: answer.change || 0,
      changePercent: answer.change_percent || 0,
    };
  });
  await show("marketStatus", () => get("/api/market_status"));
  await show("status", () => get("/api/status"));
  await show("ping", () => get("/api/ping"));
  await show("testConnection", async () => {
    const answer = await get("/api/real-data/test-connection");
    return answer.data || answer;
  });
  await show("testWebSocket", async () => {
    const answer = await get("/api/websocket/test", { method: "POST" });
    return answer.data || answer;
  });
  await show("health", () => get("/health"));
  shown.done = true;
}

const socket = io(api, { transports: ["websocket", "polling"] });
const symbol = "NIFTY";
for (const event of ["option_chain_update", "ohlc_update", "subscription_status"]) {
  shown[event] = [];
  socket.on(event, (data: unknown) => (shown[event] as unknown[]).push(data));
}
socket.on("connect", () => socket.emit("subscribe_symbol", { symbol }));
everything(symbol);
