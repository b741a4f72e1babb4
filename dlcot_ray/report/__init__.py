"""An output as a person sees it: aggregates, single traces, one HTML page, a local server. No Ray."""
