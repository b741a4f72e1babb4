"""The same work on Ray Data: graph, supervision, pools."""
