"""Images: in, Debian's packages and the wheels that hosts need; out, a folder of images in the cache."""
