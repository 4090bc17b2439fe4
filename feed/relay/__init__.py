"""One market in many processes: a feed publishes it, edges hold the same. Read ``records`` first."""
