"""HTTP as both pretend platforms speak it: werkzeug's requests, responses and routes over plain sockets."""
