"""Messages that Outlook saved (.msg), through python-oxmsg: made into a message of the standard library, then read
as any other: the subject as title, a line of header fields, the text; what is attached comes back as members.
"""

from __future__ import annotations

import email.policy
import email.utils
import mimetypes
import struct
from email.message import EmailMessage
from typing import TYPE_CHECKING

from ingest.errors import BrokenError, EncryptedError
from ingest.partition import PartitionOptions
from ingest.partition.bridge import vendor_errors
from ingest.partition.encoding import decode, known_charset
from ingest.partition.mail import partition_message
from ingest.types import Partition, Source

if TYPE_CHECKING:
    from oxmsg import Message
    from oxmsg.attachment import Attachment

# Properties of Outlook's messages (MS-OXPROPS) that oxmsg has no names for.
_SHOWN_TO, _SHOWN_CC, _HTML, _CONTENT_ID = 0x0E04, 0x0E03, 0x1013, 0x3712
_SHORT_NAME, _DISPLAY_NAME = 0x3704, 0x3001
_SEALED = ("ipm.note.smime", "ipm.note.secure")
_POLICY = email.policy.default.clone(refold_source="none")


def partition(source: Source, options: PartitionOptions) -> Partition:
    """Read a message that Outlook saved. ``members`` has the files attached.

    Raises:
        EncryptedError: the message is encrypted.
        BrokenError: the file is no message, or damaged.
    """
    from oxmsg import Message

    content = source.path.read_bytes()
    with vendor_errors("msg"):
        try:
            found = Message.load(content)
            return partition_message(*_message(found), source, options)
        except (OSError, struct.error) as exc:
            raise BrokenError(f"broken msg: {exc}") from exc


def _message(found: Message) -> tuple[EmailMessage, list[str]]:
    """The message, and warnings of what is not in it."""
    kind = found.message_class.lower()
    if kind.startswith(_SEALED) and "multipartsigned" not in kind:
        raise EncryptedError("encrypted: save a decrypted copy of the message")
    message = EmailMessage(policy=_POLICY)
    for name, value in _fields(found):
        if value:
            message[name] = value
    _put_text(message, found)
    warnings: list[str] = []
    for attachment in found.attachments:
        _attach(message, attachment, warnings)
    return message, warnings


def _fields(found: Message) -> list[tuple[str, str]]:
    text = found.properties.str_prop_value
    sent = found.sent_date
    date = email.utils.format_datetime(sent) if sent else found.message_headers.get("Date", "")
    fields = [
        ("Subject", found.subject),
        ("From", found.sender or ""),
        ("To", found.message_headers.get("To") or text(_SHOWN_TO) or ""),
        ("Cc", found.message_headers.get("Cc") or text(_SHOWN_CC) or ""),
        ("Date", date),
    ]
    return [(name, " ".join(value.replace("\0", "").split())) for name, value in fields]


def _put_text(message: EmailMessage, found: Message) -> None:
    plain, rich = (found.body or "").replace("\0", ""), _html(found)
    if plain.strip() or not rich:
        message.set_content(plain, cte="base64")
        if rich:
            message.add_alternative(rich, subtype="html", cte="base64")
    else:
        message.set_content(rich, subtype="html", cte="base64")


def _html(found: Message) -> str:
    """The text in HTML; its bytes are in the code page that the message names, if that fits."""
    raw = found.properties.binary_prop_value(_HTML)
    if raw:
        return decode(raw.replace(b"\0", b""), known_charset(found.properties.body_encoding)) if raw.strip() else ""
    return found.properties.str_prop_value(_HTML) or ""


def _attach(message: EmailMessage, attachment: Attachment, warnings: list[str]) -> None:
    text = attachment.properties.str_prop_value
    name = attachment.file_name or text(_SHORT_NAME) or text(_DISPLAY_NAME) or ""
    content = attachment.file_bytes
    if content is None:
        # A message inside the message, or a file that is named and not held.
        warnings.append(f"{name or 'an attachment'}: could not be read from the message")
        return
    kind = attachment.mime_type or ""
    if "/" not in kind or kind == "application/octet-stream":
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    main, _, sub = kind.partition("/")
    if main in ("message", "multipart", "text"):
        main, sub = "application", "octet-stream"
    cid = text(_CONTENT_ID) or ""
    shown = bool(cid) and main == "image"
    message.add_attachment(
        content,
        maintype=main,
        subtype=sub,
        filename=name.replace("\0", "") or None,
        cid=f"<{cid}>" if shown else None,
        disposition="inline" if shown else "attachment",
    )
