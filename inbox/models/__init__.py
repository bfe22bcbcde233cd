"""The tables, one file per noun. Rows and columns only: what happens to them stands in the modules of `inbox/`."""

from inbox.models.accounts import Account, Doorbell, Lease
from inbox.models.aftercare import Aftercare
from inbox.models.changes import Counter, IndexChange, LiveEvent
from inbox.models.conversations import Conversation, ConversationAccount, ConversationTag, Tag, WorkRecord
from inbox.models.customers import Customer, Identity, IdentityLink, PictureConsent
from inbox.models.messages import Attachment, Delivery, DuplicateLink, Message
from inbox.models.organisation import AuditRecord, Organisation, SignInToken, Team, TeamAccount, TeamMember, User
from inbox.models.outbound import (
    AutomaticTurn,
    Draft,
    DraftAttachment,
    Envelope,
    EnvelopeBody,
    EnvelopeRecipient,
    StoredFile,
)
from inbox.models.posts import PostEdition, PostReach, PostState, Tombstone
from inbox.models.shelf import CursorRange, CursorScope, CursorTrouble, RawBody, RawItem
from inbox.models.sla import Calendar, CalendarVersion, Policy, PolicyVersion, SlaEvent
from inbox.models.spending import Budget, EndpointWindow, OwnPrice, PaidItem, PollPace, Spend
from inbox.models.templates import ReplyTemplate, ReplyTemplateVersion
from inbox.models.threads import OfferAnswer, Strand, StrandLink, StrandParticipant, Thread, ThreadReference

__all__ = [
    "Account",
    "Aftercare",
    "Attachment",
    "AuditRecord",
    "AutomaticTurn",
    "Budget",
    "Calendar",
    "CalendarVersion",
    "Conversation",
    "ConversationAccount",
    "ConversationTag",
    "Counter",
    "CursorRange",
    "CursorScope",
    "CursorTrouble",
    "Customer",
    "Delivery",
    "Doorbell",
    "Draft",
    "DraftAttachment",
    "DuplicateLink",
    "EndpointWindow",
    "Envelope",
    "EnvelopeBody",
    "EnvelopeRecipient",
    "Identity",
    "IdentityLink",
    "IndexChange",
    "Lease",
    "LiveEvent",
    "Message",
    "OfferAnswer",
    "Organisation",
    "OwnPrice",
    "PaidItem",
    "PictureConsent",
    "Policy",
    "PolicyVersion",
    "PollPace",
    "PostEdition",
    "PostReach",
    "PostState",
    "RawBody",
    "RawItem",
    "ReplyTemplate",
    "ReplyTemplateVersion",
    "SignInToken",
    "SlaEvent",
    "Spend",
    "StoredFile",
    "Strand",
    "StrandLink",
    "StrandParticipant",
    "Tag",
    "Team",
    "TeamAccount",
    "TeamMember",
    "Thread",
    "ThreadReference",
    "Tombstone",
    "User",
    "WorkRecord",
]
