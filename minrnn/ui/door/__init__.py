"""What stands between the network and Gradio: which addresses exist, how much may be sent, and what is kept of it.

routes.py knows the addresses, bodies.py counts bytes, uploads.py counts files, calls.py reads a request before Gradio
does, sessions.py bounds what is kept of a page, blocks.py turns what a component cannot read into one clear message.
"""
