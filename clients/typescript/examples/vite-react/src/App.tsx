// src/App.tsx
import { MarketProvider, useOptionChain } from "indian-options-client/react";

function Chain() {
  const { data, status } = useOptionChain({ symbol: "NIFTY", strikes: 10, fields: "quotes" });
  return <pre>{status} {data?.option_chain.map((row) => `${row.ce_ltp}\t${row.strike_price}\t${row.pe_ltp}\n`)}</pre>;
}

export default () => <MarketProvider url="http://localhost:5000"><Chain /></MarketProvider>;
