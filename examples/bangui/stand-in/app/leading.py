"""BanGUI where only one of many instances runs the scheduler: the one that brood says leads."""
import os

from app.main import create

app = create(os.environ.get("BROOD_LEADER") == "1")
