// A page that shows what README's hook holds: the test reads it as text, and changes the symbol by a button.
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { useOptionChain } from "./useOptionChain";

function Screen({ url }: { url: string }) {
  const [symbol, setSymbol] = useState("NIFTY");
  const { chain, live, error } = useOptionChain(symbol, url);
  return (
    <>
      <input aria-label="symbol" onChange={(event) => setSymbol(event.target.value)} />
      <pre>{JSON.stringify({ symbol, live, error, chain })}</pre>
    </>
  );
}

const url = new URLSearchParams(location.search).get("server") ?? "";
createRoot(document.body.appendChild(document.createElement("main"))).render(<Screen url={url} />);
