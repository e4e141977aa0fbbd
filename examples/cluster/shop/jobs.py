"""What the shop's workers do."""

from forge_jobs import job
from shop.ledger import write


@job
def send_receipt(*, number: int) -> None:
    write("ran", number)
