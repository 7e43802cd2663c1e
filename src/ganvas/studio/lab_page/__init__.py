"""The theory lab as one HTML file that opens from the disk: the studio's view, with the games in
JavaScript in place of the server.
"""
