"""What a child loads before its first job; it has something to say of that."""

import logging

logging.getLogger(__name__).warning("loaded before anybody asks")
