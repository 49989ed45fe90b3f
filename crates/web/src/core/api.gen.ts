// Written by `npm run types` from crates/api/openapi.json; not edited by hand.

export interface paths {
    "/api/v1/attachments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A file of a message.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_attachments_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was changed in settings, by whom, newest first.
         * @description Needs the permission `audit`, from role `admin` on.
         */
        get: operations["get_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Channels that feed workspaces of the reader; whoever may edit rules sees all.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_channels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{slug}/rule": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The rule of a channel, or of one of its chatflows.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_channels_slug_rule"];
        /**
         * Change the rule of a channel, or of one of its chatflows.
         * @description A rule that cannot work is refused with every fault at once (ROUTING 7.7). It takes a role, not a seat (7.8).
         *
         *     Needs the permission `rules`, from role `lead` on.
         */
        put: operations["put_channels_slug_rule"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contacts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One contact.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_contacts_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/contacts/{id}/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the owner of a contact.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_contacts_id_owner"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List work items.
         * @description Conversations of inboxes and tickets of help desks, in workspaces that the reader may open.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One item.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/assignable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who may be chosen as owner, with load and limit (ROUTING 2.5).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        get: operations["get_conversations_id_assignable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The decisions about an item, newest first.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id_decisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge two items of a workspace (ROUTING 12.4).
         * @description The one that was created first stays, with its owner and both histories, and takes the messages of the other, which is
         *     closed for good. Whoever writes to the other afterwards writes to the one that stays. This cannot be undone.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_conversations_id_merge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a thread.
         * @description The first page holds the newest messages; within a page they stand oldest first. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id_messages"];
        put?: never;
        /**
         * Write a reply or note.
         * @description A reply to an item without a human owner makes the writer its owner (ROUTING 2.3). The header `x-item-version`
         *     says the version of the item afterwards.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_conversations_id_messages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move an item to another workspace (ROUTING 12.4).
         * @description Messages and history go along, and the owner as far as the new workspace may be opened. Answers with what is the work
         *     item there, which has another id where a conversation moves into a help desk, whose tickets are, or out of one.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_conversations_id_move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the owner by hand.
         * @description Choosing a user sets the owner; choosing a team sets the team and clears the owner (ROUTING 2.2). A change on an
         *     old version is refused with 409 and the item as it is (ROUTING 2.6).
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_conversations_id_owner"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is on a conversation.
         * @description People at the desk, and the contact while connected. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id_presence"];
        /**
         * Say what one does on a conversation.
         * @description Colleagues are told, and a connected contact as far as it is writing. It is forgotten after 40 s: say it again every
         *     15 s, and at once when it changes. Answers with everybody who is there.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        put: operations["put_conversations_id_presence"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/priority": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the priority.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_conversations_id_priority"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Return an item to its queue (ROUTING 2.7).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_conversations_id_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have the rule applied again.
         * @description Needs the permission `route`, from role `lead` on.
         */
        post: operations["post_conversations_id_route"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Open, snooze, close, or put away as spam.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_conversations_id_status"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mail what was said in a chat to its contact.
         * @description It goes out through the channel's `chat.mail_channel`, to the address that the contact gave.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_conversations_id_transcript"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why an item waits or has no owner, its place, what everybody lacks, and what would change that.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id_waiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/conversations/{id}/why-not/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why somebody does not have an item, by the decision that would be made about it now.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_conversations_id_why-not_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/decisions/{id}/explanation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A decision with everybody who was looked at.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_decisions_id_explanation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/directory": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export the directory as TOML, which `PUT` takes again.
         * @description Needs the permission `directory`, from role `admin` on.
         */
        get: operations["get_directory"];
        /**
         * Apply a directory file.
         * @description All of it or, with faults, none of it.
         *
         *     Needs the permission `directory`, from role `admin` on.
         */
        put: operations["put_directory"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens, as server-sent events.
         * @description Each event has the id of a `LiveEvent`, its kind as name (`item`, `message`, `mark`, `person`, `directory`, `notice`) and
         *     itself as data. Besides, `presence` says who is on a conversation, as a `ConversationPresence` without an id, which is
         *     never sent again; the contact is part of it for those only who are on the conversation themselves. A client that comes back with `Last-Event-ID` gets what it missed, or `resync` when that is no
         *     longer stored: read everything anew. Without either the stream begins now. It ends at sign-out and when the host
         *     stops; a silent stream is kept open by `: ping` every 15 s.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List work items.
         * @description Conversations of inboxes and tickets of help desks, in workspaces that the reader may open.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One item.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/assignable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who may be chosen as owner, with load and limit (ROUTING 2.5).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        get: operations["get_items_id_assignable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The decisions about an item, newest first.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id_decisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge two items of a workspace (ROUTING 12.4).
         * @description The one that was created first stays, with its owner and both histories, and takes the messages of the other, which is
         *     closed for good. Whoever writes to the other afterwards writes to the one that stays. This cannot be undone.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_items_id_merge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a thread.
         * @description The first page holds the newest messages; within a page they stand oldest first. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id_messages"];
        put?: never;
        /**
         * Write a reply or note.
         * @description A reply to an item without a human owner makes the writer its owner (ROUTING 2.3). The header `x-item-version`
         *     says the version of the item afterwards.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_items_id_messages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move an item to another workspace (ROUTING 12.4).
         * @description Messages and history go along, and the owner as far as the new workspace may be opened. Answers with what is the work
         *     item there, which has another id where a conversation moves into a help desk, whose tickets are, or out of one.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_items_id_move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the owner by hand.
         * @description Choosing a user sets the owner; choosing a team sets the team and clears the owner (ROUTING 2.2). A change on an
         *     old version is refused with 409 and the item as it is (ROUTING 2.6).
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_items_id_owner"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is on a conversation.
         * @description People at the desk, and the contact while connected. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id_presence"];
        /**
         * Say what one does on a conversation.
         * @description Colleagues are told, and a connected contact as far as it is writing. It is forgotten after 40 s: say it again every
         *     15 s, and at once when it changes. Answers with everybody who is there.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        put: operations["put_items_id_presence"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/priority": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the priority.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_items_id_priority"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Return an item to its queue (ROUTING 2.7).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_items_id_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have the rule applied again.
         * @description Needs the permission `route`, from role `lead` on.
         */
        post: operations["post_items_id_route"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Open, snooze, close, or put away as spam.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_items_id_status"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mail what was said in a chat to its contact.
         * @description It goes out through the channel's `chat.mail_channel`, to the address that the contact gave.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_items_id_transcript"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why an item waits or has no owner, its place, what everybody lacks, and what would change that.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id_waiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/items/{id}/why-not/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why somebody does not have an item, by the decision that would be made about it now.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_items_id_why-not_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who one is, what one may do, and how one stands.
         * @description Needs a signed-in person.
         */
        get: operations["get_me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/language": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Choose the language of one's desk.
         * @description Needs a signed-in person.
         */
        put: operations["put_me_language"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Change one's own password.
         * @description Every session ends, this one too: sign in anew.
         *
         *     Needs a signed-in person.
         */
        put: operations["put_me_password"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me/undo-send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Choose how long one's mails wait before they go out, so that they can be taken back.
         * @description Needs a signed-in person.
         */
        put: operations["put_me_undo-send"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/raw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The message as it was received.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_messages_id_raw"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/recall": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take back a reply that has not gone out yet.
         * @description Only its writer can, and only until it is on its way: then 409 `conflict`. The message is gone from the thread
         *     afterwards; the answer is the message as it was.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_messages_id_recall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/messages/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Send a failed reply again.
         * @description Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_messages_id_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search contacts, subjects and messages.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in.
         * @description Sets the cookie `sb_session`. A wrong email and a wrong password are answered alike; attempts are limited per
         *     address and per email.
         *
         *     Open to everybody.
         */
        post: operations["post_session"];
        /**
         * Sign out.
         * @description Ends the session of the cookie and its live streams, and takes the cookie. Without a session nothing happens.
         *
         *     Open to everybody.
         */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One's own sessions.
         * @description Needs a signed-in person.
         */
        get: operations["get_sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of one's own sessions.
         * @description Needs a signed-in person.
         */
        delete: operations["delete_sessions_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/teams": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every team with its members.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_teams"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List work items.
         * @description Conversations of inboxes and tickets of help desks, in workspaces that the reader may open.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One item.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/assignable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who may be chosen as owner, with load and limit (ROUTING 2.5).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        get: operations["get_tickets_id_assignable"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/decisions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The decisions about an item, newest first.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id_decisions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge two items of a workspace (ROUTING 12.4).
         * @description The one that was created first stays, with its owner and both histories, and takes the messages of the other, which is
         *     closed for good. Whoever writes to the other afterwards writes to the one that stays. This cannot be undone.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_tickets_id_merge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a thread.
         * @description The first page holds the newest messages; within a page they stand oldest first. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id_messages"];
        put?: never;
        /**
         * Write a reply or note.
         * @description A reply to an item without a human owner makes the writer its owner (ROUTING 2.3). The header `x-item-version`
         *     says the version of the item afterwards.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_tickets_id_messages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/move": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Move an item to another workspace (ROUTING 12.4).
         * @description Messages and history go along, and the owner as far as the new workspace may be opened. Answers with what is the work
         *     item there, which has another id where a conversation moves into a help desk, whose tickets are, or out of one.
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_tickets_id_move"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/owner": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the owner by hand.
         * @description Choosing a user sets the owner; choosing a team sets the team and clears the owner (ROUTING 2.2). A change on an
         *     old version is refused with 409 and the item as it is (ROUTING 2.6).
         *
         *     Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_tickets_id_owner"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/presence": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is on a conversation.
         * @description People at the desk, and the contact while connected. A ticket shows its conversation's.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id_presence"];
        /**
         * Say what one does on a conversation.
         * @description Colleagues are told, and a connected contact as far as it is writing. It is forgotten after 40 s: say it again every
         *     15 s, and at once when it changes. Answers with everybody who is there.
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        put: operations["put_tickets_id_presence"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/priority": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set the priority.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_tickets_id_priority"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/return": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Return an item to its queue (ROUTING 2.7).
         * @description Needs the permission `assign`, from role `agent` on.
         */
        post: operations["post_tickets_id_return"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/route": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Have the rule applied again.
         * @description Needs the permission `route`, from role `lead` on.
         */
        post: operations["post_tickets_id_route"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Open, snooze, close, or put away as spam.
         * @description Needs the permission `assign`, from role `agent` on.
         */
        put: operations["put_tickets_id_status"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/transcript": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Mail what was said in a chat to its contact.
         * @description It goes out through the channel's `chat.mail_channel`, to the address that the contact gave.
         *
         *     Needs the permission `write`, from role `agent` on.
         */
        post: operations["post_tickets_id_transcript"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/waiting": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why an item waits or has no owner, its place, what everybody lacks, and what would change that.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id_waiting"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tickets/{id}/why-not/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Why somebody does not have an item, by the decision that would be made about it now.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_tickets_id_why-not_user"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Tokens that are in force.
         * @description Needs the permission `tokens`, from role `admin` on.
         */
        get: operations["get_tokens"];
        put?: never;
        /**
         * Make a token.
         * @description Its secret is in this answer and nowhere else.
         *
         *     Needs the permission `tokens`, from role `admin` on.
         */
        post: operations["post_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke a token.
         * @description Needs the permission `tokens`, from role `admin` on.
         */
        delete: operations["delete_tokens_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Every user, with availability and load.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/availability": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Set availability by hand.
         * @description One's own, or with the permission `colleague_status` somebody else's, who is told (ROUTING 4.3).
         *
         *     Needs the permission `own_status`, from role `agent` on.
         */
        put: operations["put_users_id_availability"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/deactivate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deactivate a user and hand on the open work, in one step (ROUTING 12.5).
         * @description Needs the permission `deactivate`, from role `admin` on.
         */
        post: operations["post_users_id_deactivate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/statuses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How a user's manual status has changed, newest first.
         * @description One's own, or with the permission `colleague_status` anybody's (ROUTING 4.3).
         *
         *     Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_users_id_statuses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workspaces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The workspaces that the reader may open.
         * @description Needs the permission `read`, from role `viewer` on.
         */
        get: operations["get_workspaces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Who did something (ROUTING 1). */
        Actor: {
            /** @description The user. */
            id: components["schemas"]["UserId"];
            /** @enum {string} */
            kind: "user";
        } | {
            /** @enum {string} */
            kind: "bot";
        } | {
            /** @enum {string} */
            kind: "assistant";
        } | {
            /** @enum {string} */
            kind: "workflow";
        } | {
            /** @description The channel. */
            channel: components["schemas"]["ChannelId"];
            /** @enum {string} */
            kind: "rule";
        } | {
            /** @enum {string} */
            kind: "api";
            /** @description The token. */
            token: components["schemas"]["TokenId"];
        } | {
            /** @description The contact. */
            id: components["schemas"]["ContactId"];
            /** @enum {string} */
            kind: "contact";
        } | {
            /** @enum {string} */
            kind: "system";
        };
        /** @description A name and an address. */
        Address: {
            /** @description The address. */
            address: string;
            /** @description Display name. */
            name: string | null;
        };
        /** @description What applying a directory file did or would do. */
        ApplyReport: {
            /** @description The differences. */
            changes: components["schemas"]["DirectoryChange"][];
            /**
             * Format: int64
             * @description The directory version in force afterwards.
             */
            version: number;
        };
        /** @description Who may be chosen as owner, and which teams. */
        Assignable: {
            /** @description Teams. */
            teams: components["schemas"]["Team"][];
            /** @description People, with load and limit (ROUTING 2.5). */
            users: components["schemas"]["AssignableUser"][];
        };
        /** @description Somebody who may be chosen as owner by hand. */
        AssignableUser: {
            /** @description May be chosen (ROUTING 2.4). */
            allowed: boolean;
            /** @description Available now. */
            available: boolean;
            cause: components["schemas"]["UnavailableCause"] | null;
            /**
             * Format: int32
             * @description Limit over all types.
             */
            limit: number | null;
            /**
             * Format: int32
             * @description Load in the group of the item.
             */
            load: number;
            /** @description Name. */
            name: string;
            /**
             * Format: int32
             * @description Open items owned.
             */
            open: number;
            /** @description Why not. */
            reason: string | null;
            /** @description The user. */
            user: components["schemas"]["UserId"];
        };
        /** @description A file of a message. */
        AttachmentView: {
            /**
             * Format: int64
             * @description Size in bytes.
             */
            bytes: number;
            /** @description The id by which HTML refers to it. */
            content_id: string | null;
            /** @description Media type. */
            content_type: string;
            /** @description Where its bytes are. */
            id: components["schemas"]["BlobId"];
            /** @description File name. */
            name: string;
        };
        /**
         * @description What a person at the desk does on a conversation, from the least to the most.
         * @enum {string}
         */
        Attention: "parked" | "viewing" | "writing";
        /** @description What the caller does on a conversation. */
        AttentionWish: {
            attention: components["schemas"]["Attention"] | null;
            seen?: components["schemas"]["MessageId"] | null;
        };
        /**
         * @description To whom a message goes.
         * @enum {string}
         */
        Audience: "reply" | "note";
        /** @description An entry of the audit log. */
        AuditEntry: {
            /** @description What, such as `directory.apply`. */
            action: string;
            /** @description By whom. */
            actor: components["schemas"]["Actor"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description Details. */
            detail: unknown;
            /**
             * Format: int64
             * @description Position.
             */
            id: number;
            /** @description On what. */
            target: string;
        };
        /** @description How far the domain of a sender vouches for a message. */
        Authentication: {
            /** @description Whether the seals of forwarding servers hold. */
            arc: components["schemas"]["CheckResult"];
            /** @description The server that checked, by its `authserv-id`; `None` when Switchboard did. */
            by: string | null;
            /** @description Whether a signature of the message holds. */
            dkim: components["schemas"]["CheckResult"];
            /** @description Whether one of the two is of the domain in `From`. */
            dmarc: components["schemas"]["CheckResult"];
            /** @description Whether the sending server may send for the envelope's domain. */
            spf: components["schemas"]["CheckResult"];
        };
        /** @description A status set by hand. */
        AvailabilityWish: {
            /** @description Why, at most 200 characters. */
            reason?: string | null;
            /** @description The status. */
            value: components["schemas"]["StatusValue"];
        };
        /**
         * Format: int64
         * @description Stored bytes: a raw mail or an attachment.
         */
        BlobId: number;
        /** @description One person who was looked at. */
        Candidate: {
            /**
             * Format: int64
             * @description Idle time over the shift up to now, in milliseconds, where the case goes by it (ROUTING 6.5).
             */
            idle_ms?: number | null;
            /**
             * Format: int64
             * @description Mark of the last such assignment (ROUTING 5.4).
             */
            last_assigned: number | null;
            /**
             * Format: int32
             * @description The limit on open items over all types.
             */
            limit: number | null;
            /**
             * Format: int32
             * @description Load in the group of the item (ROUTING 5.1, 5.2).
             */
            load: number;
            /**
             * Format: int32
             * @description Open items owned, over all types (ROUTING 5.5).
             */
            open: number;
            /**
             * Format: int32
             * @description Rank among the eligible, from 1.
             */
            rank: number | null;
            team: components["schemas"]["TeamId"] | null;
            /** @description The user. */
            user: components["schemas"]["UserId"];
            /** @description What became of the person. */
            verdict: components["schemas"]["Verdict"];
        };
        /** @description What a channel can do. The desk and the engine ask this, never the kind. */
        Capabilities: {
            /** @description Messages can carry files. */
            attachments: boolean;
            /** @description Messages can have copies. */
            copies: boolean;
            /** @description Messages can carry HTML. */
            html: boolean;
            /** @description A message may wait before it goes out, so that its writer can take it back. */
            recall: boolean;
            /** @description Replies can be sent. */
            reply: boolean;
            /** @description Messages have subjects. */
            subject: boolean;
        };
        /** @description Limits on open items owned at once (ROUTING 5.5). Absent is unlimited. */
        Capacity: {
            /** @description Open items that use no capacity. */
            leave_out?: components["schemas"]["LeaveOut"];
            /** @description Limit per type. */
            per_type?: {
                [key: string]: number;
            };
            /**
             * Format: int32
             * @description Limit over all types.
             */
            total?: number | null;
            weights?: components["schemas"]["CapacityWeights"] | null;
        };
        /** @description What of a person's capacity is used, and what an item would add (ROUTING 5.5). An absent limit is none. */
        CapacityUse: {
            /** @description The database found the person full on this item, and there has been no news of the person since. */
            found_full: boolean;
            /**
             * Format: int32
             * @description What the item weighs.
             */
            item_weight: number;
            /**
             * Format: int32
             * @description The limit on them.
             */
            limit: number | null;
            /**
             * Format: int32
             * @description The limit on them.
             */
            limit_of_type: number | null;
            /**
             * Format: int32
             * @description Open items that use capacity.
             */
            open: number;
            /**
             * Format: int32
             * @description Open items of that type.
             */
            open_of_type: number;
            /**
             * Format: int64
             * @description What all open items weigh together.
             */
            weight: number;
            /**
             * Format: int32
             * @description The limit on weight.
             */
            weight_limit: number | null;
            /** @description The type of the item. */
            work: components["schemas"]["WorkType"];
        };
        /** @description What an open item of each type weighs, and how much a person bears (ROUTING 5.5). */
        CapacityWeights: {
            /**
             * Format: int32
             * @description The most that open items may weigh together.
             */
            limit: number;
            /** @description Weight per type; a type that is left out weighs nothing. */
            per_type: {
                [key: string]: number;
            };
        };
        /** @description One case of a rule: a condition, a target and its settings. */
        Case: {
            /**
             * Format: int32
             * @description For how many days the contact's last owner comes first, if listed and eligible (ROUTING 7.6).
             */
            affinity_days?: number | null;
            distribution?: components["schemas"]["Distribution"] | null;
            hand_back?: components["schemas"]["HandBack"] | null;
            /** @description Skip people who are not available (ROUTING 7.2). */
            only_available: boolean;
            /** @description Outside the channel hours. */
            outside_hours: components["schemas"]["OutsideHours"];
            /** @description Who else is asked the longer the item waits; with any, the item waits (ROUTING 7.5). */
            overflow?: components["schemas"]["OverflowStep"][];
            /** @description Where the work goes. */
            target: components["schemas"]["Target"];
            /**
             * @description How large a share each name gets under `round_robin`, 1 to 20; 1 for who is left out. With any other weight,
             *     shares are promised instead of turns (ROUTING 6.2).
             */
            weights?: components["schemas"]["MemberWeight"][];
            when?: components["schemas"]["Condition"] | null;
            /** @description When nobody is eligible. */
            when_nobody: components["schemas"]["WhenNobody"];
        };
        /** @description One circumstance that changes. */
        Change: {
            /** @description Why the person is not available now. */
            cause: components["schemas"]["UnavailableCause"];
            /** @enum {string} */
            kind: "becomes_available";
        } | {
            /** @description Why the person is not available now. */
            cause: components["schemas"]["UnavailableCause"];
            /** @enum {string} */
            kind: "sets_available";
        } | {
            /**
             * Format: int32
             * @description How many, at least.
             */
            items: number;
            /** @enum {string} */
            kind: "closes";
            work: components["schemas"]["WorkType"] | null;
        } | {
            /** @enum {string} */
            kind: "ages";
        } | {
            /** @enum {string} */
            kind: "learns";
            /**
             * Format: int32
             * @description The level that is needed, for a skill.
             */
            level: number | null;
            /** @description Its name. */
            skill: string;
        } | {
            /** @enum {string} */
            kind: "relaxes";
        } | {
            /** @enum {string} */
            kind: "widens";
            /**
             * Format: int32
             * @description The step, counted from 0.
             */
            step: number;
        } | {
            /** @enum {string} */
            kind: "admin";
            /** @description What it says. */
            reason: components["schemas"]["SkipReason"];
        } | {
            /** @enum {string} */
            kind: "channel_opens";
        } | {
            /** @enum {string} */
            kind: "rule_on";
        };
        /**
         * @description What happens to an entry of the directory.
         * @enum {string}
         */
        ChangeAction: "add" | "change" | "remove";
        /** @description The directory's side of a connected channel: where its work goes and by which rule. */
        ChannelEntry: {
            chat: components["schemas"]["ChatSettings"] | null;
            chatflows: components["schemas"]["Chatflows"] | null;
            /** @description Holiday calendars, on whose dates in `zone` the channel is closed (ROUTING 4.2). */
            holidays?: string[];
            /** @description Channel hours; empty is always open (ROUTING 4.6). */
            hours: components["schemas"]["WeeklyHours"];
            /** @description Id, never reused. */
            id: components["schemas"]["ChannelId"];
            /** @description Kind; must agree with the configuration. */
            kind: components["schemas"]["ChannelKind"];
            /** @description Name shown. */
            name: string;
            /** @description Takes messages in; when off, adapters answer that the channel is closed. */
            on: boolean;
            /** @description Owner of a reopened conversation. */
            reopen_owner: components["schemas"]["ReopenOwner"];
            rule: components["schemas"]["Rule"] | null;
            /** @description The slug that the configuration uses, `[a-z0-9_]+`. */
            slug: string;
            /** @description The workspace it feeds. */
            workspace: components["schemas"]["WorkspaceId"];
            /** @description Time zone of the channel hours. */
            zone: string;
        };
        /**
         * Format: int64
         * @description A connected channel.
         */
        ChannelId: number;
        /**
         * @description The kind of a channel (ROUTING 1).
         * @enum {string}
         */
        ChannelKind: "email" | "chat" | "form" | "whatsapp" | "messenger" | "calling" | "custom";
        /** @description A channel as it is set up and as it is doing. */
        ChannelRow: components["schemas"]["ChannelEntry"] & {
            /** @description What it can do. */
            capabilities: components["schemas"]["Capabilities"];
            /** @description Members of its rule that are skipped because they can no longer be selected (ROUTING 3.9). */
            stale: components["schemas"]["StaleMember"][];
            /** @description How it is doing. */
            state: components["schemas"]["ChannelState"];
        };
        /** @description How a connected channel is doing. */
        ChannelState: {
            /** @description What it last failed with. */
            error: string | null;
            last_event_at: components["schemas"]["Timestamp"] | null;
            /** @description Started and not failed. */
            running: boolean;
        };
        /** @description How conversations of a live chat end, and what is mailed to contacts (ROUTING 12.3). */
        ChatSettings: {
            /**
             * Format: int32
             * @description A chat closes itself after so many minutes of silence from the contact; 0 is never.
             */
            close_after_min: number;
            mail_channel: components["schemas"]["ChannelId"] | null;
            /**
             * Format: int32
             * @description Whoever has waited so many minutes for an answer is asked whether they prefer it by mail; 0 is never.
             */
            offer_mail_after_minutes?: number;
            /** @description When a contact with a known address is mailed what was said. */
            transcript: components["schemas"]["Transcript"];
        };
        /** @description One chatflow of a chat channel: whose it is, and by which rule their chats go. */
        Chatflow: {
            /** @description Name shown. */
            name: string;
            rule: components["schemas"]["Rule"] | null;
            /** @description Key within its channel, `[a-z0-9_]+`. */
            slug: string;
            when: components["schemas"]["Condition"] | null;
        };
        /** @description The chatflows of a channel, and the rule for whom none of them is meant. */
        Chatflows: {
            /** @description In order; the first whose condition holds is the visitor's. */
            list: components["schemas"]["Chatflow"][];
            otherwise: components["schemas"]["Rule"] | null;
        };
        /**
         * @description What came of one check of a sender (RFC 8601).
         * @enum {string}
         */
        CheckResult: "none" | "pass" | "fail" | "error";
        /** @description A condition. Comparisons ignore letter case; a missing fact compares as the empty text. */
        Condition: {
            /** @description Every part holds; true when empty. */
            all: components["schemas"]["Condition"][];
        } | {
            /** @description Some part holds; false when empty. */
            any: components["schemas"]["Condition"][];
        } | {
            /** @description The part does not hold. */
            not: components["schemas"]["Condition"];
        } | {
            /** @description The fact equals one of the values. */
            is: {
                /** @description The fact. */
                field: components["schemas"]["FactField"];
                /** @description The values. */
                values: string[];
            };
        } | {
            /** @description The fact contains one of the values. */
            contains: {
                /** @description The fact. */
                field: components["schemas"]["FactField"];
                /** @description The values. */
                values: string[];
            };
        };
        /** @description A contact in a row. */
        ContactBrief: {
            /** @description The contact. */
            id: components["schemas"]["ContactId"];
            identity: components["schemas"]["Identity"] | null;
            /** @description Name, or the address where there is no name. */
            name: string;
        };
        /**
         * Format: int64
         * @description A contact.
         */
        ContactId: number;
        /** @description The owner of a contact. */
        ContactOwner: {
            owner: components["schemas"]["UserId"] | null;
        };
        /** @description A contact in full. */
        ContactView: {
            /**
             * Format: int64
             * @description How many conversations there have been.
             */
            conversations: number;
            /** @description First seen. */
            created_at: components["schemas"]["Timestamp"];
            /** @description The contact. */
            id: components["schemas"]["ContactId"];
            /** @description Every identity. */
            identities: components["schemas"]["Identity"][];
            /** @description Name. */
            name: string | null;
            owner: components["schemas"]["UserId"] | null;
        };
        /**
         * Format: int64
         * @description A conversation; an [`ItemId`] of that kind.
         */
        ConversationId: number;
        /** @description Everybody who is on a conversation. */
        ConversationPresence: {
            /** @description The conversation. */
            conversation: components["schemas"]["ConversationId"];
            /** @description People at the desk, by id. */
            people: components["schemas"]["PersonAttention"][];
            visitor: components["schemas"]["VisitorPresence"] | null;
            /** @description Where it is. */
            workspace: components["schemas"]["WorkspaceId"];
        };
        /** @description How many items each view has. */
        Counts: {
            /**
             * Format: int64
             * @description Closed.
             */
            closed: number;
            /**
             * Format: int64
             * @description Open, owned by the reader.
             */
            mine: number;
            /**
             * Format: int64
             * @description Open.
             */
            open: number;
            /**
             * Format: int64
             * @description Snoozed.
             */
            snoozed: number;
            /**
             * Format: int64
             * @description Open, in a team of the reader.
             */
            team_open: number;
            /**
             * Format: int64
             * @description Open, without an owner, in a team of the reader.
             */
            team_unassigned: number;
            /**
             * Format: int64
             * @description Open, without an owner.
             */
            unassigned: number;
            /**
             * Format: int64
             * @description Queued for a person.
             */
            waiting: number;
        };
        /** @description What deactivating a user did or would do (ROUTING 12.5). */
        Deactivation: {
            /** @description The open work that is or would be handed on. */
            open: components["schemas"]["ItemRow"][];
            /**
             * Format: int64
             * @description The directory version in force afterwards.
             */
            version: number;
        };
        /** @description What becomes of the open work of somebody who leaves. */
        DeactivationWish: {
            /** @description Only list what is open. */
            dry_run?: boolean;
            hand_to: components["schemas"]["UserId"] | null;
        };
        /** @description What is stored of a decision: small and constant. The candidates are rebuilt from the log. */
        Decision: {
            /**
             * Format: int64
             * @description The chosen person's availability version, for the guard; `None` when availability was ignored.
             */
            availability_version: number | null;
            /**
             * Format: int32
             * @description Behaviour version of the router.
             */
            behaviour: number;
            /**
             * Format: int32
             * @description How many people were looked at.
             */
            candidates: number;
            /** @description Whether capacity is guarded; not for an owner who keeps a reopened item (ROUTING 5.5). */
            capacity_guarded: boolean;
            distribution: components["schemas"]["Distribution"] | null;
            /**
             * Format: int32
             * @description The random draw, an index into the eligible in candidate order.
             */
            draw: number | null;
            /**
             * Format: int32
             * @description How many of them were eligible.
             */
            eligible: number;
            /** @description Why it was routed. */
            event: components["schemas"]["RouteEvent"];
            /** @description The contact owner's fallback was used (ROUTING 7.3). */
            fallback: boolean;
            /** @description How the item counts. */
            group: components["schemas"]["LoadGroup"];
            /** @description The item. */
            item: components["schemas"]["ItemId"];
            /**
             * Format: int64
             * @description The version of the item that the decision was made on.
             */
            item_version: number;
            /**
             * Format: int32
             * @description Load of the chosen person before this item.
             */
            load: number | null;
            /**
             * Format: int64
             * @description The chosen person's mark (5.4) before the decision, to restore it when the database refuses.
             */
            mark_before: number | null;
            /**
             * Format: int64
             * @description Consumption number of the input that was decided on.
             */
            no?: number;
            /** @description What came out. */
            outcome: components["schemas"]["Outcome"];
            /**
             * Format: int32
             * @description Place among what was decided and assigned on that input, from 0.
             */
            place?: number;
            queued_since: components["schemas"]["Timestamp"] | null;
            rule: components["schemas"]["RuleRef"] | null;
            /**
             * Format: int32
             * @description How many eligible people shared the best rank before ties were broken.
             */
            tied: number;
            /**
             * Format: int64
             * @description The turn that the decision took: the running cycle after it, in which the person was served.
             */
            turn: number | null;
            /**
             * Format: int64
             * @description The chosen person's turn (6.2) before the decision, likewise.
             */
            turn_before: number | null;
        };
        /**
         * Format: int64
         * @description A routing decision.
         */
        DecisionId: number;
        /** @description A decision with its plain words. */
        DecisionRow: components["schemas"]["DecisionView"] & {
            /** @description What came out, in the reader's language. */
            text: string;
        };
        /** @description A stored decision. */
        DecisionView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description What was decided. */
            decision: components["schemas"]["Decision"];
            /**
             * Format: int64
             * @description Directory version in force.
             */
            directory_version: number;
            /**
             * Format: int64
             * @description How long deciding took, in microseconds.
             */
            duration_us: number;
            /** @description The decision. */
            id: components["schemas"]["DecisionId"];
            /**
             * Format: int64
             * @description Consumption number of the input.
             */
            no: number;
            refused: components["schemas"]["RefusalReason"] | null;
        };
        /** @description The way of a reply. */
        Delivery: {
            /**
             * Format: int32
             * @description Attempts so far.
             */
            attempts: number;
            /** @description What the last attempt met, for a person. */
            error: string | null;
            next_attempt_at: components["schemas"]["Timestamp"] | null;
            /** @description The contact has read it, where the channel can tell. */
            read?: boolean;
            /** @description It has not been tried yet, and its writer can take it back (until `next_attempt_at` at least). */
            recallable: boolean;
            /** @description Recipients whom the other side refused while others got it. */
            refused: components["schemas"]["RefusedRecipient"][];
            /** @description How far it has got. */
            state: components["schemas"]["DeliveryState"];
        };
        /** @description What a delivery report says about a message of ours. */
        DeliveryFailure: {
            /** @description What the other server said, for a person. */
            reason: string | null;
            /** @description The addresses that it could not be delivered to. */
            recipients: string[];
            /** @description The id of the message that failed, as later messages would refer to it. */
            reference: string | null;
            /** @description The status code (RFC 3463), such as `5.1.1`. */
            status: string | null;
        };
        /**
         * @description How far a reply has got.
         * @enum {string}
         */
        DeliveryState: "queued" | "sending" | "sent" | "failed";
        /** @description One skill or language that is demanded (ROUTING 8.3). */
        Demand: {
            /**
             * Format: int32
             * @description After so many seconds of waiting a required one is preferred only.
             */
            relax_after_s?: number | null;
            /** @description Nobody without it is eligible; else it is preferred. */
            required: boolean;
            /** @description What. */
            wanted: components["schemas"]["Wanted"];
        };
        /** @description What the desk needs to know about an installation. */
        DeskSettings: {
            /** @description What each channel can do, by slug. */
            channels: {
                [key: string]: components["schemas"]["Capabilities"];
            };
            /** @description Name of the company. */
            company: string | null;
            /** @description Languages of the desk. */
            languages: string[];
            /** @description Addresses of the installation itself, which a reply to everybody leaves out. */
            own_addresses: string[];
        };
        /** @description One entry that differs. */
        DirectoryChange: {
            /** @description What happens to it. */
            action: components["schemas"]["ChangeAction"];
            /** @description The keys whose values change, each as `key: before → after`. */
            details: string[];
            /** @description Its slug or email address. */
            key: string;
            /** @description `team`, `user`, `workspace` or `channel`. */
            kind: string;
        };
        /**
         * @description How one of several eligible people is chosen (ROUTING 6).
         * @enum {string}
         */
        Distribution: "load_balanced" | "round_robin" | "random" | "least_busy" | "longest_idle" | "longest_idle_total";
        /** @description A decision, rebuilt from the log with everybody who was looked at (ROUTING 13.1). */
        Explained: {
            /** @description The stored decision. */
            decision: components["schemas"]["DecisionView"];
            explanation: components["schemas"]["Explanation"] | null;
            /** @description Names for the ids. */
            names: components["schemas"]["Names"];
            /** @description All of it in the reader's language, several lines. */
            text: string;
        };
        /** @description A decision with everybody who was looked at, rebuilt from the log. */
        Explanation: {
            /** @description The decision. */
            decision: components["schemas"]["Decision"];
            /** @description The order in which people were looked at: the contact owner, then the fallback. */
            stages: components["schemas"]["Stage"][];
        };
        /** @description The name of a fact: one of [`FactField::FIXED`], or `form.<field>` for a form field. */
        FactField: string;
        /** @description Who gets the work when the first choice cannot. */
        Fallback: {
            /** @enum {string} */
            kind: "nobody";
        } | {
            /** @enum {string} */
            kind: "user";
            /** @description The user. */
            user: components["schemas"]["UserId"];
        } | {
            /** @enum {string} */
            kind: "users_and_teams";
            /** @description In the listed order. */
            members: components["schemas"]["Member"][];
        };
        /** @description One fault: where it stands, what was found, what is allowed. Faults are collected and shown all at once. */
        Fault: {
            /** @description The file, where the fault came from one. */
            file?: string | null;
            /** @description The key path, such as `channels.support.port` or `users[2].team`. */
            key: string;
            /** @description What is wrong and what is allowed, as one sentence without a full stop. */
            message: string;
        };
        /** @description A file to be sent. */
        FileWish: {
            /** @description The bytes in base64. */
            base64: string;
            /** @description The id by which the HTML refers to it (`cid:`). */
            content_id?: string | null;
            /** @description Media type. */
            content_type: string;
            /** @description File name, without any path. */
            name: string;
        };
        /** @description When an owner's open work goes back to routing (ROUTING 4.5); whichever comes first. */
        HandBack: {
            /**
             * Format: int32
             * @description After the owner has been absent for so many minutes.
             */
            absent_min?: number | null;
            /**
             * Format: int32
             * @description After the contact has waited for the owner for so many minutes.
             */
            unanswered_min?: number | null;
        };
        /** @description A change of an item, for its history. */
        History: {
            /** @description By whom. */
            actor: components["schemas"]["Actor"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description What changed. */
            change: components["schemas"]["HistoryChange"];
            decision: components["schemas"]["DecisionId"] | null;
            /** @description The item that changed: the item itself, or one that was merged into it. */
            item: components["schemas"]["ItemId"];
        };
        /** @description What changed. */
        HistoryChange: {
            /** @enum {string} */
            kind: "created";
        } | {
            /** @enum {string} */
            kind: "owner";
            owner: components["schemas"]["Owner"] | null;
            team: components["schemas"]["TeamId"] | null;
        } | {
            /** @enum {string} */
            kind: "status";
            /** @description The status. */
            status: components["schemas"]["ItemStatus"];
        } | {
            /** @enum {string} */
            kind: "returned";
            /** @description The note. */
            note: string | null;
        } | {
            /** @description Where it was. */
            from: components["schemas"]["WorkspaceId"];
            /** @enum {string} */
            kind: "moved";
            /** @description Where it is. */
            to: components["schemas"]["WorkspaceId"];
        } | {
            /** @description That item. */
            item: components["schemas"]["ItemId"];
            /** @enum {string} */
            kind: "merged_into";
        } | {
            /** @description That item. */
            item: components["schemas"]["ItemId"];
            /** @enum {string} */
            kind: "merged_from";
        };
        /** @description One way to recognise a contact. Construct with [`Identity::new`], which normalises the value. */
        Identity: {
            /** @description What the value is. */
            kind: components["schemas"]["IdentityKind"];
            /** @description The normalised value. */
            value: string;
        };
        /**
         * @description What an identity is made of.
         * @enum {string}
         */
        IdentityKind: "email" | "phone" | "whatsapp" | "messenger" | "cookie" | "custom" | "account";
        /** @description An invitation to an event (RFC 5546), as the first event of a calendar file says. */
        Invitation: {
            /** @description When it ends, likewise; a day is the first one after it. */
            ends: string | null;
            /** @description Where it is. */
            location: string | null;
            /** @description What is asked for. */
            method: components["schemas"]["InvitationMethod"];
            /** @description When it begins: `2026-11-23`, or `2026-11-23T10:00` in `zone`. */
            starts: string | null;
            /** @description What the event is called. */
            summary: string | null;
            /** @description The time zone as written, `UTC`, or `None` for wherever the reader is. */
            zone: string | null;
        };
        /**
         * @description What an invitation asks for.
         * @enum {string}
         */
        InvitationMethod: "request" | "reply" | "cancel" | "publish";
        /**
         * Format: int64
         * @description A conversation or a ticket: whatever can have an owner.
         */
        ItemId: number;
        /**
         * @description What a work item is: conversations are routed in inboxes, tickets in help desks.
         * @enum {string}
         */
        ItemKind: "conversation" | "ticket";
        /** @description A conversation or ticket in a list. */
        ItemRow: {
            channel: components["schemas"]["ChannelId"] | null;
            contact: components["schemas"]["ContactBrief"] | null;
            conversation: components["schemas"]["ConversationId"] | null;
            /** @description When it began. */
            created_at: components["schemas"]["Timestamp"];
            due_at: components["schemas"]["Timestamp"] | null;
            /** @description The item; also the number that people quote. */
            id: components["schemas"]["ItemId"];
            /** @description Conversation or ticket. */
            kind: components["schemas"]["ItemKind"];
            /** @description The last message of either side. */
            last_message_at: components["schemas"]["Timestamp"];
            merged_into: components["schemas"]["ItemId"] | null;
            owned_since: components["schemas"]["Timestamp"] | null;
            owner: components["schemas"]["Owner"] | null;
            /** @description The beginning of the last message. */
            preview: string;
            /** @description Priority. */
            priority: components["schemas"]["Priority"];
            queued_since: components["schemas"]["Timestamp"] | null;
            /** @description Status. */
            status: components["schemas"]["ItemStatus"];
            /** @description Subject. */
            subject: string | null;
            team: components["schemas"]["TeamId"] | null;
            ticket: components["schemas"]["TicketId"] | null;
            ticket_type: components["schemas"]["TicketType"] | null;
            unassigned_reason: components["schemas"]["UnassignedReason"] | null;
            /**
             * Format: int64
             * @description Rises with every change; sent back with changes (409 when it is no longer current).
             */
            version: number;
            waiting_since: components["schemas"]["Timestamp"] | null;
            /** @description Where it is. */
            workspace: components["schemas"]["WorkspaceId"];
        };
        /**
         * @description The orders of a list.
         * @enum {string}
         */
        ItemSort: "newest" | "oldest" | "waiting_longest" | "priority";
        /**
         * @description The status of an item. Only `open` counts as open (ROUTING 5.3).
         * @enum {string}
         */
        ItemStatus: "open" | "snoozed" | "closed" | "spam";
        /** @description A conversation or ticket in full. */
        ItemView: components["schemas"]["ItemRow"] & {
            contact_detail: components["schemas"]["ContactView"] | null;
            /** @description Changes of owner, team, status and workspace, oldest first, the last 200; those of merged items included. */
            history: components["schemas"]["History"][];
            last_decision: components["schemas"]["DecisionId"] | null;
            linked: components["schemas"]["ItemRow"] | null;
            /** @description Other contacts who take part, since their conversations were merged into this one (ROUTING 12.4). */
            merged_contacts: components["schemas"]["ContactBrief"][];
        };
        /** @description How many people are skipped for a reason. */
        Lack: {
            /**
             * Format: int32
             * @description How many.
             */
            people: number;
            /** @description The reason. */
            reason: components["schemas"]["SkipReason"];
        };
        /** @description What one group of people lacks. */
        LaneLack: {
            /**
             * Format: int32
             * @description How many of them are eligible.
             */
            eligible: number;
            /** @description How many are skipped for each reason, sorted by reason. */
            lacks: components["schemas"]["Lack"][];
            /**
             * Format: int32
             * @description How many there are.
             */
            people: number;
            /** @description What the people stand for. */
            target: components["schemas"]["StageTarget"];
        };
        /** @description The language of the desk. */
        LanguageChange: {
            /** @description One of the languages of the desk, or null to follow the browser. */
            language: string | null;
        };
        /**
         * @description Which open items use no capacity of a person: they are left out of the total, the types and the weights
         *     (ROUTING 5.5).
         */
        LeaveOut: {
            /**
             * Format: int32
             * @description Items created more than so many days of 24 hours ago.
             */
            older_than_days?: number | null;
            /** @description Items of a conversation in which ours is the last message. */
            waiting_on_contact?: boolean;
        };
        /** @description Something that happened, for open desks. Carries no text: readers fetch what they may see. */
        LiveEvent: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            conversation: components["schemas"]["ConversationId"] | null;
            /**
             * Format: int64
             * @description Position in the stream; resume after it.
             */
            id: number;
            item: components["schemas"]["ItemId"] | null;
            /** @description What. */
            kind: components["schemas"]["LiveEventKind"];
            message: components["schemas"]["MessageId"] | null;
            user: components["schemas"]["UserId"] | null;
            /**
             * Format: int64
             * @description The item's version.
             */
            version: number | null;
            workspace: components["schemas"]["WorkspaceId"] | null;
        };
        /**
         * @description What a live event tells.
         * @enum {string}
         */
        LiveEventKind: "item" | "message" | "person" | "directory" | "mark" | "notice";
        /**
         * @description Items that count together as load: the ticket type in a help desk (5.1), the kind group in inboxes (5.2).
         * @enum {string}
         */
        LoadGroup: "ticket_calling" | "ticket_messaging" | "ticket_email_other" | "inbox_chat" | "inbox_mail" | "inbox_call";
        /** @description A manual status (ROUTING 4.1). */
        ManualStatus: {
            /** @description By whom, which decides how long it holds (ROUTING 4.2). */
            origin: components["schemas"]["StatusOrigin"];
            /** @description Why away, in the person's own words or a listed reason. */
            reason?: string | null;
            /** @description When it was set. */
            set_at: components["schemas"]["Timestamp"];
            /** @description Available, away or finishing. */
            value: components["schemas"]["StatusValue"];
        };
        /** @description The reader: who it is, what it may do, how it stands. */
        Me: {
            /** @description How many items each view has. */
            counts: components["schemas"]["Counts"];
            /**
             * Format: int64
             * @description The newest live event; follow the stream from here.
             */
            last_event: number;
            /**
             * @description What the user may do: `read`, `write`, `assign`, `own_status`, `colleague_status`, `route`, `rules`,
             *     `directory`, `deactivate`, `tokens`, `audit`.
             */
            permissions: string[];
            /** @description Availability and load. */
            person: components["schemas"]["PersonView"];
            /** @description What the desk needs to know about this installation. */
            settings: components["schemas"]["DeskSettings"];
            /**
             * Format: int32
             * @description Seconds that the person's mails wait before they go out, so that they can be taken back.
             */
            undo_seconds: number;
            /** @description The user. */
            user: components["schemas"]["User"];
        };
        /** @description A user or a team named in a rule. */
        Member: {
            /** @description One user. */
            user: components["schemas"]["UserId"];
        } | {
            /** @description The main members of a team (ROUTING 3.4). */
            team: components["schemas"]["TeamId"];
        };
        /** @description The weight of a name under `round_robin`, as it is written. */
        MemberWeight: {
            /** @description A user, or a team for each of its members. */
            member: components["schemas"]["Member"];
            /**
             * Format: int32
             * @description 1 to 20.
             */
            weight: number;
        };
        /** @description What a merge did. It cannot be undone. */
        MergeReport: {
            /** @description The newer item, which is closed; its `merged_into` says where it went. */
            merged: components["schemas"]["ItemRow"];
            /**
             * Format: int64
             * @description How many messages went over.
             */
            messages: number;
            /** @description Nobody owned the survivor, so its rule was asked for somebody. */
            routed: boolean;
            /** @description The older item, which stays. */
            survivor: components["schemas"]["ItemRow"];
        };
        /** @description Merging with another item. */
        MergeWish: {
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
            /** @description The other item, of the same workspace. */
            with: components["schemas"]["ItemId"];
            /**
             * Format: int64
             * @description The version of the other item that the choice was made on.
             */
            with_version: number;
        };
        /**
         * @description Facts about an inbound message, kept with it and shown beside it. All absent by default: most channels know none.
         *
         *     `Debug` shows neither text nor addresses.
         */
        MessageDetails: {
            authentication: components["schemas"]["Authentication"] | null;
            failure: components["schemas"]["DeliveryFailure"] | null;
            /**
             * Format: int32
             * @description The line of the text, counted from 0, from which on there is nothing but a signature and a repetition of earlier
             *     messages; `None` when there is neither.
             */
            folded_from: number | null;
            invitation: components["schemas"]["Invitation"] | null;
        };
        /**
         * Format: int64
         * @description A message of any direction, or an internal note.
         */
        MessageId: number;
        /**
         * @description What an entry of a thread is.
         * @enum {string}
         */
        MessageKind: "inbound" | "reply" | "note";
        /** @description A message or note in a thread. */
        MessageView: {
            /** @description When it was taken in or written. */
            at: components["schemas"]["Timestamp"];
            /** @description Files. */
            attachments: components["schemas"]["AttachmentView"][];
            /** @description Who wrote it. */
            author: components["schemas"]["Actor"];
            /** @description Their name as it was then. */
            author_name: string | null;
            /** @description Copies of a reply that its other recipients do not see. */
            bcc: components["schemas"]["Address"][];
            /** @description Its conversation. */
            conversation: components["schemas"]["ConversationId"];
            delivery: components["schemas"]["Delivery"] | null;
            /** @description What else its channel found out about it. */
            details: components["schemas"]["MessageDetails"];
            /** @description Form fields in order. */
            fields: [
                string,
                string
            ][];
            /** @description Cleaned HTML, for a sandboxed frame. */
            html: string | null;
            /** @description The message. */
            id: components["schemas"]["MessageId"];
            /** @description Inbound, reply or note. */
            kind: components["schemas"]["MessageKind"];
            /** @description What an inbound message is. */
            nature: components["schemas"]["Nature"];
            raw: components["schemas"]["BlobId"] | null;
            /** @description Who else it was addressed to; the copies of a reply. */
            recipients: components["schemas"]["Address"][];
            /** @description Subject. */
            subject: string | null;
            /** @description Plain text. */
            text: string;
            /** @description Whom a reply went to instead of the contact; empty when to the contact. */
            to: components["schemas"]["Address"][];
        };
        /** @description A reply or note. */
        MessageWish: {
            /** @description Files. */
            attachments?: components["schemas"]["FileWish"][];
            /** @description Copies that nobody else sees. */
            bcc?: components["schemas"]["Address"][];
            /** @description Copies. */
            cc?: components["schemas"]["Address"][];
            /** @description HTML beside it, which is cleaned before it is stored. */
            html?: string | null;
            /** @description Reply or note. */
            kind: components["schemas"]["Audience"];
            seen_message?: components["schemas"]["MessageId"] | null;
            /** @description Own the item if nobody does (ROUTING 2.3); true when absent. */
            take?: boolean;
            /** @description Plain text. */
            text: string;
            /** @description Whom a reply goes to; the contact when absent or empty. */
            to?: components["schemas"]["Address"][];
            /**
             * Format: int32
             * @description Seconds that a reply waits before it goes out, so that it can be taken back: 0, 5, 10 or 30; 0 when absent. Channels
             *     whose capabilities lack `recall` send at once.
             */
            undo_seconds?: number;
        };
        /** @description Moving to another workspace. */
        MoveWish: {
            /** @description Have the rule of its channel applied there; without, it keeps its owner, or has none. */
            route?: boolean;
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
            /** @description Where it goes. */
            workspace: components["schemas"]["WorkspaceId"];
        };
        /** @description Names for the ids of an explanation. */
        Names: {
            /**
             * Format: int32
             * @description The case within the rule that it was written in, from 0; null where that is not known any more, or the chatflow has
             *     no rule in force.
             */
            case: number | null;
            /** @description The channel whose rule applied. */
            channel: string | null;
            /** @description The chatflow of the channel that it was, where it has any; null is the channel's own rule. */
            chatflow: string | null;
            /** @description Teams. */
            teams: {
                [key: string]: string;
            };
            /** @description Users. */
            users: {
                [key: string]: string;
            };
        };
        /**
         * @description What an inbound message is. Only `message` and `malformed` route and reopen (ROUTING 12.1).
         * @enum {string}
         */
        Nature: "message" | "auto_reply" | "bounce" | "spam" | "malformed";
        /** @description A new token. */
        NewToken: components["schemas"]["TokenView"] & {
            /** @description The secret, shown this once; null when the request is repeated with the same `Idempotency-Key`. */
            token: string | null;
        };
        /** @description A period of absence, start included, end excluded. */
        OutOfOffice: {
            /** @description First instant of absence. */
            from: components["schemas"]["Timestamp"];
            /** @description First instant of presence. */
            to: components["schemas"]["Timestamp"];
        };
        /** @description What came out of a decision. */
        Outcome: {
            /** @enum {string} */
            kind: "assigned";
            team: components["schemas"]["TeamId"] | null;
            /** @description The owner. */
            user: components["schemas"]["UserId"];
        } | {
            /** @enum {string} */
            kind: "team_set";
            /** @description The team. */
            team: components["schemas"]["TeamId"];
        } | {
            /** @enum {string} */
            kind: "kept";
            /** @description The owner. */
            user: components["schemas"]["UserId"];
        } | {
            /** @enum {string} */
            kind: "queued";
        } | {
            /** @enum {string} */
            kind: "unassigned";
            /** @description Why. */
            reason: components["schemas"]["UnassignedReason"];
        };
        /**
         * @description What happens outside the channel hours (ROUTING 4.6).
         * @enum {string}
         */
        OutsideHours: "route" | "unassigned" | "assistant";
        /** @description Further people for an item that has waited (ROUTING 7.5). */
        OverflowStep: {
            /**
             * Format: int32
             * @description After so many seconds of waiting; later than the step before.
             */
            after_s: number;
            /** @description Who is asked besides those asked so far. */
            members: components["schemas"]["Member"][];
            /** @description Everybody whom automatic routing may choose there, by ascending id and behind the members. */
            workspaces?: components["schemas"]["WorkspaceId"][];
        };
        /** @description Who an item belongs to. */
        Owner: {
            /** @description The user. */
            id: components["schemas"]["UserId"];
            /** @enum {string} */
            kind: "user";
        } | {
            /** @enum {string} */
            kind: "bot";
        } | {
            /** @enum {string} */
            kind: "assistant";
        };
        /** @description A new owner, by hand. */
        OwnerWish: {
            owner: components["schemas"]["Owner"] | null;
            team?: components["schemas"]["TeamId"] | null;
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
        };
        /** @description A page of a list. */
        Page_AuditEntry: {
            /** @description Opaque; ask for the next page with it. `None` on the last page. */
            next: string | null;
            /** @description The rows. */
            rows: components["schemas"]["AuditEntry"][];
            /**
             * Format: int64
             * @description How many rows the whole list has.
             */
            total: number;
        };
        /** @description A page of a list. */
        Page_ItemRow: {
            /** @description Opaque; ask for the next page with it. `None` on the last page. */
            next: string | null;
            /** @description The rows. */
            rows: components["schemas"]["ItemRow"][];
            /**
             * Format: int64
             * @description How many rows the whole list has.
             */
            total: number;
        };
        /** @description A page of a list. */
        Page_MessageView: {
            /** @description Opaque; ask for the next page with it. `None` on the last page. */
            next: string | null;
            /** @description The rows. */
            rows: components["schemas"]["MessageView"][];
            /**
             * Format: int64
             * @description How many rows the whole list has.
             */
            total: number;
        };
        /** @description A page of a list. */
        Page_SearchRow: {
            /** @description Opaque; ask for the next page with it. `None` on the last page. */
            next: string | null;
            /** @description The rows. */
            rows: components["schemas"]["SearchRow"][];
            /**
             * Format: int64
             * @description How many rows the whole list has.
             */
            total: number;
        };
        /** @description A page of a list. */
        Page_StatusEntry: {
            /** @description Opaque; ask for the next page with it. `None` on the last page. */
            next: string | null;
            /** @description The rows. */
            rows: components["schemas"]["StatusEntry"][];
            /**
             * Format: int64
             * @description How many rows the whole list has.
             */
            total: number;
        };
        /** @description The password as it is and as it shall be. */
        PasswordChange: {
            /** @description The password in force. */
            current: string;
            /** @description The new one. */
            new: string;
        };
        /** @description A person on a conversation. */
        PersonAttention: {
            /** @description What the person does. */
            attention: components["schemas"]["Attention"];
            /** @description Name. */
            name: string;
            /** @description Who. */
            user: components["schemas"]["UserId"];
        };
        /** @description A person's status and counted work. */
        PersonLoad: {
            /**
             * Format: int64
             * @description Rises with every change of status.
             */
            availability_version: number;
            /**
             * Format: int32
             * @description Open items owned, a conversation and its ticket counted once (ROUTING 5.5).
             */
            open: number;
            /** @description The same per type. */
            open_per_type: {
                [key: string]: number;
            };
            status: components["schemas"]["ManualStatus"] | null;
            /** @description The user. */
            user: components["schemas"]["UserId"];
        };
        /** @description A person's availability and load. */
        PersonView: components["schemas"]["PersonLoad"] & {
            /** @description May get work now, as far as availability goes (ROUTING 4.1). */
            available: boolean;
            cause: components["schemas"]["UnavailableCause"] | null;
            changed_by: components["schemas"]["Actor"] | null;
            /**
             * Format: int32
             * @description Limit on open items over all types.
             */
            limit: number | null;
            /** @description Limits per type. */
            limits: {
                [key: string]: number;
            };
            previous: components["schemas"]["ManualStatus"] | null;
            until: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description By what one eligible person comes before another.
         * @enum {string}
         */
        Preference: "asked_first" | "skills" | "load" | "turn" | "idle" | "last_assigned" | "lowest_id" | "draw" | "team_only";
        /** @description When somebody counts as not being there, whatever they say (ROUTING 4.4). */
        Presence: {
            /**
             * Format: int32
             * @description After so many minutes without any connected desk.
             */
            away_after_min: number;
        };
        /**
         * @description How urgent an item is.
         * @enum {string}
         */
        Priority: "low" | "normal" | "high" | "urgent";
        /** @description A new priority. */
        PriorityWish: {
            /** @description The new priority. */
            priority: components["schemas"]["Priority"];
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
        };
        /**
         * @description The kinds of problem.
         * @enum {string}
         */
        ProblemCode: "bad_json" | "unauthenticated" | "forbidden" | "not_found" | "method_not_allowed" | "conflict" | "new_messages" | "too_large" | "unsupported_media_type" | "invalid" | "rate_limited" | "internal" | "unavailable";
        /** @description A problem document (RFC 9457) as every failed request answers it. */
        ProblemDocument: {
            /** @description The kind of problem, for a program. */
            code: components["schemas"]["ProblemCode"];
            /** @description The column on that line, from 1. */
            column?: number | null;
            /** @description With 409: the row as it is now. */
            current?: unknown;
            /** @description What went wrong this time, for a person. */
            detail: string;
            /** @description Every fault of the request at once. */
            errors?: components["schemas"]["Fault"][];
            /** @description Where in the body JSON could not be read, from 1. */
            line?: number | null;
            /**
             * Format: int32
             * @description The HTTP status, repeated.
             */
            status: number;
            /** @description The kind of problem in a few words. */
            title: string;
            /** @description A reference that identifies the kind of problem, relative to this host. */
            type: string;
        };
        /**
         * @description Which guard refused (DESIGN 3.6).
         * @enum {string}
         */
        RefusalReason: "item_changed" | "at_capacity" | "status_changed";
        /** @description One of several recipients whom the other side refused. `Debug` does not show who. */
        RefusedRecipient: {
            /** @description Who. */
            address: string;
            /** @description It is tried again for them. */
            again: boolean;
            /** @description Why, in one line for a person. */
            reason: string;
        };
        /** @description What would make somebody eligible for an item. */
        Remedy: {
            at: components["schemas"]["Timestamp"] | null;
            /** @description All that has to change, in order; nothing where a new decision alone would do. */
            changes: components["schemas"]["Change"][];
            /** @description Who. */
            user: components["schemas"]["UserId"];
        };
        /**
         * @description Who owns a conversation that a new message reopens (ROUTING 12.2).
         * @enum {string}
         */
        ReopenOwner: "keep" | "route" | "unassign";
        /** @description Handing work back to its rule. */
        ReturnWish: {
            /** @description Why, for colleagues. */
            note?: string | null;
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
        };
        /**
         * @description What a user may do, ascending.
         * @enum {string}
         */
        Role: "viewer" | "agent" | "lead" | "admin";
        /**
         * @description Why an item is routed.
         * @enum {string}
         */
        RouteEvent: "arrived" | "reopened" | "returned" | "handed_back" | "requested";
        /** @description The rule of a channel. */
        Rule: {
            /** @description Cases in order; the first that matches wins (ROUTING 7.0). */
            cases: components["schemas"]["Case"][];
            /** @description Applies; a rule that is off leaves work unassigned (ROUTING 2.1). */
            on: boolean;
            /**
             * Format: int64
             * @description The directory version in which the rule last changed.
             */
            version: number;
        };
        /** @description A rule with the directory version it belongs to. */
        RuleInForce: {
            rule: components["schemas"]["Rule"] | null;
            /**
             * Format: int64
             * @description Sent back with changes.
             */
            version: number;
        };
        /** @description A rule in the version that was in force. */
        RuleRef: {
            /**
             * Format: int32
             * @description The case, counted from 0.
             */
            case: number;
            /** @description The channel. */
            channel: components["schemas"]["ChannelId"];
            /**
             * Format: int64
             * @description The rule's version.
             */
            version: number;
        };
        /** @description A new rule. */
        RuleWish: {
            rule: components["schemas"]["Rule"] | null;
            /**
             * Format: int64
             * @description The directory version that the rule was edited on.
             */
            version: number;
        };
        /**
         * @description What a token allows.
         * @enum {string}
         */
        Scope: "read" | "write" | "admin";
        /** @description A row that a search found. */
        SearchRow: components["schemas"]["ItemRow"] & {
            /** @description The words around the match, as plain text. */
            snippet: string;
        };
        /**
         * @description The seat that makes a user routable (ROUTING 3.2).
         * @enum {string}
         */
        Seat: "none" | "sales" | "service";
        /** @description A session of the reader. */
        SessionView: {
            /** @description The browser's own description. */
            agent: string;
            /** @description Began. */
            created_at: components["schemas"]["Timestamp"];
            /** @description It is the one that asks. */
            current: boolean;
            /** @description Ends at the latest. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description Opaque id, no secret. */
            id: string;
            /** @description Last used. */
            last_seen_at: components["schemas"]["Timestamp"];
        };
        /** @description Email and password. */
        SignIn: {
            /** @description The sign-in name, whatever its letter case. */
            email: string;
            /** @description The password. */
            password: string;
        };
        /**
         * Format: int64
         * @description A skill.
         */
        SkillId: number;
        /** @description Which work demands which skills, in one workspace. */
        SkillRule: {
            /** @description What is demanded, the most important first. */
            demands: components["schemas"]["Demand"][];
            when?: components["schemas"]["Condition"] | null;
        };
        /** @description Why a candidate was skipped (ROUTING 3). */
        SkipReason: {
            /** @enum {string} */
            code: "inactive";
        } | {
            /** @enum {string} */
            code: "no_seat";
        } | {
            /** @enum {string} */
            code: "no_access";
        } | {
            /** @enum {string} */
            code: "not_main_member";
        } | {
            /** @description Why not. */
            cause: components["schemas"]["UnavailableCause"];
            /** @enum {string} */
            code: "unavailable";
        } | {
            /** @enum {string} */
            code: "at_capacity";
        } | {
            /** @enum {string} */
            code: "lacks_skill";
            /** @description The skill. */
            skill: string;
        } | {
            /** @enum {string} */
            code: "on_call";
        } | {
            /** @enum {string} */
            code: "excluded";
        };
        /**
         * @description How soon work of a workspace is to be answered and closed. Targets are in working minutes of its clock; absent is
         *     no target.
         */
        Sla: {
            /**
             * Format: int32
             * @description From the creation of an item to its end.
             */
            close_min?: number | null;
            /**
             * Format: int32
             * @description From the creation of an item to our first reply.
             */
            first_reply_min?: number | null;
            /** @description Holiday calendars, on whose dates in `zone` the clock stands. */
            holidays?: string[];
            /** @description Weekly hours in which the clock runs; empty is always. */
            hours?: components["schemas"]["WeeklyHours"];
            /**
             * Format: int32
             * @description From the oldest unanswered message of the contact to our reply, once there was a first reply.
             */
            next_reply_min?: number | null;
            /** @description IANA time zone of the clock; not asked where it has neither hours nor holidays. */
            zone?: string;
        };
        /** @description A language that a person speaks. */
        Spoken: {
            /** @description ISO 639 code in lower case, such as `nb`. */
            language: string;
            /** @description A main language, which ranks above a secondary one. */
            main?: boolean;
        };
        /** @description One group of candidates. */
        Stage: {
            /** @description Everybody looked at, in candidate order. */
            candidates: components["schemas"]["Candidate"][];
            /** @description What the candidates stand for. */
            target: components["schemas"]["StageTarget"];
        };
        /**
         * @description What a stage's candidates stand for.
         * @enum {string}
         */
        StageTarget: "previous_owner" | "contact_owner" | "last_owner" | "users_and_teams" | "fallback" | "overflow" | "team_only";
        /** @description A member of a rule that can no longer be selected. */
        StaleMember: {
            /**
             * Format: int32
             * @description The case, counted from 0.
             */
            case: number;
            /** @description The member. */
            member: components["schemas"]["Member"];
            reason: components["schemas"]["SkipReason"] | null;
        };
        /** @description A change of a person's manual status (ROUTING 4.3). */
        StatusEntry: {
            /** @description By whom; the system for whoever is set away, or back, by presence (ROUTING 4.4). */
            actor: components["schemas"]["Actor"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description The status from then on. */
            status: components["schemas"]["ManualStatus"];
        };
        /**
         * @description How a status came about.
         * @enum {string}
         */
        StatusOrigin: "initial" | "by_hand" | "presence";
        /**
         * @description The three manual statuses.
         * @enum {string}
         */
        StatusValue: "available" | "away" | "finishing";
        /** @description A new status. */
        StatusWish: {
            /** @description The new status. */
            status: components["schemas"]["ItemStatus"];
            until?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
        };
        /** @description Where a case sends work (ROUTING 7.1). */
        Target: {
            /** @enum {string} */
            kind: "nobody";
        } | {
            /** @enum {string} */
            kind: "users_and_teams";
            /** @description In the listed order. */
            members: components["schemas"]["Member"][];
        } | {
            /** @enum {string} */
            kind: "team_only";
            /** @description The team. */
            team: components["schemas"]["TeamId"];
        } | {
            /** @description When there is no owner, or the owner cannot take it. */
            fallback: components["schemas"]["Fallback"];
            /** @enum {string} */
            kind: "contact_owner";
            /** @description Only with the channel's cookie. */
            require_cookie?: boolean;
        } | {
            /** @description Who gets what it cannot answer. */
            if_cannot_answer: components["schemas"]["Fallback"];
            /** @enum {string} */
            kind: "assistant";
        };
        /** @description A team. Membership is stored with the users. */
        Team: {
            /** @description Id, never reused. */
            id: components["schemas"]["TeamId"];
            /** @description Name shown. */
            name: string;
            parent: components["schemas"]["TeamId"] | null;
            presence?: components["schemas"]["Presence"] | null;
            /** @description Key in directory files, `[a-z0-9_]+`. */
            slug: string;
        };
        /**
         * Format: int64
         * @description A team.
         */
        TeamId: number;
        /** @description A team with its members. */
        TeamRow: components["schemas"]["Team"] & {
            /** @description Extra members. */
            extra_members: components["schemas"]["UserId"][];
            /** @description Main members, for whom the team stands in rules (ROUTING 3.4). */
            main_members: components["schemas"]["UserId"][];
        };
        /**
         * Format: int64
         * @description A ticket; an [`ItemId`] of that kind.
         */
        TicketId: number;
        /**
         * @description The type of a ticket (ROUTING 1).
         * @enum {string}
         */
        TicketType: "calling" | "messaging" | "email_other";
        /**
         * Format: int64
         * @description An instant in milliseconds since the Unix epoch, UTC.
         */
        Timestamp: number;
        /**
         * Format: int64
         * @description An API token.
         */
        TokenId: number;
        /** @description A token, without its secret. */
        TokenView: {
            /** @description Made. */
            created_at: components["schemas"]["Timestamp"];
            expires_at: components["schemas"]["Timestamp"] | null;
            /** @description The token. */
            id: components["schemas"]["TokenId"];
            last_used_at: components["schemas"]["Timestamp"] | null;
            /** @description What it is for. */
            name: string;
            /** @description The first letters of the secret, to recognise it by. */
            prefix: string;
            /** @description What it allows. */
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A token to be made. */
        TokenWish: {
            expires_at?: components["schemas"]["Timestamp"] | null;
            /** @description What it is for, 1 to 100 characters. */
            name: string;
            /** @description What it allows, at least one. */
            scopes: components["schemas"]["Scope"][];
        };
        /**
         * @description When a contact is mailed what was said in a chat.
         * @enum {string}
         */
        Transcript: "never" | "on_request" | "on_close";
        /**
         * @description Why a decision left an item unassigned.
         * @enum {string}
         */
        UnassignedReason: "no_rule" | "rule_off" | "nobody" | "outside_hours" | "no_candidates" | "nobody_eligible" | "no_contact_owner" | "reopened_unassigned" | "team_not_usable" | "fault";
        /**
         * @description Why somebody is not available (ROUTING 3.5).
         * @enum {string}
         */
        UnavailableCause: "away" | "out_of_office" | "outside_hours";
        /** @description The time in which one's mails can be taken back. */
        UndoSendChange: {
            /**
             * Format: int32
             * @description 0, 5, 10 or 30.
             */
            seconds: number;
        };
        /** @description A person who signs in. */
        User: {
            /** @description Has accepted the invitation. */
            accepted: boolean;
            /** @description Not deactivated. */
            active: boolean;
            /** @description Limits on open work. */
            capacity: components["schemas"]["Capacity"];
            /** @description Sign-in name, notification address, and key in directory files. Lower case. */
            email: string;
            /** @description Teams this user is an extra member of. */
            extra_teams: components["schemas"]["TeamId"][];
            /** @description Holiday calendars, whose dates in `zone` count as outside hours (ROUTING 4.2). */
            holidays?: string[];
            /** @description Weekly working hours; empty is always. */
            hours: components["schemas"]["WeeklyHours"];
            /** @description Id, never reused. */
            id: components["schemas"]["UserId"];
            /** @description Language of the desk: `en`, `nl`, `nb` or `da`; `None` follows the browser. */
            language: string | null;
            /** @description Languages spoken. */
            languages?: components["schemas"]["Spoken"][];
            /** @description Name shown to colleagues and contacts. */
            name: string;
            /** @description Absences. */
            out_of_office: components["schemas"]["OutOfOffice"][];
            /** @description Permissions. */
            role: components["schemas"]["Role"];
            /** @description Seat. */
            seat: components["schemas"]["Seat"];
            /** @description Skills with levels (ROUTING 8.1). */
            skills?: components["schemas"]["UserSkill"][];
            team: components["schemas"]["TeamId"] | null;
            /** @description May open help desk tickets. */
            ticket_access: boolean;
            /** @description IANA time zone of the working hours. */
            zone: string;
        };
        /**
         * Format: int64
         * @description A user. Ids ascend in the order of creation, which settles the last tie of ROUTING 5.4.
         */
        UserId: number;
        /** @description A user with availability and load. */
        UserRow: components["schemas"]["User"] & {
            person: components["schemas"]["PersonView"] | null;
        };
        /** @description A skill that a person has. */
        UserSkill: {
            /**
             * Format: int32
             * @description How good, 1 to 5.
             */
            level: number;
            /** @description The skill. */
            skill: components["schemas"]["SkillId"];
        };
        /** @description What became of a candidate. */
        Verdict: {
            /** @enum {string} */
            kind: "chosen";
        } | {
            /** @enum {string} */
            kind: "eligible";
        } | {
            /** @enum {string} */
            kind: "skipped";
            /** @description The reason. */
            reason: components["schemas"]["SkipReason"];
        };
        /** @description A wish about an item in the version that was seen. */
        VersionSeen: {
            /**
             * Format: int64
             * @description The version that the choice was made on.
             */
            version: number;
        };
        /**
         * @description The views of ROUTING 14.2 that exist.
         * @enum {string}
         */
        View: "unassigned" | "mine" | "team_unassigned" | "team_open" | "open" | "closed" | "waiting" | "snoozed";
        /** @description A page that a visitor looks at. `Debug` shows neither. */
        VisitedPage: {
            /** @description Its address, without query and fragment. */
            address: string;
            /** @description Its title. */
            title: string;
        };
        /** @description A contact who is connected. */
        VisitorPresence: {
            page: components["schemas"]["VisitedPage"] | null;
            /** @description The contact is writing. */
            writing: boolean;
        };
        /** @description Why an item waits or has no owner, and what would change that. */
        WaitingAnswer: {
            /** @description Names for the ids. */
            names: components["schemas"]["Names"];
            /** @description What would make somebody eligible, the soonest first; 20 at most. */
            remedies: components["schemas"]["Remedy"][];
            /** @description All of it in the reader's language, several lines. */
            text: string;
            why: components["schemas"]["WhyWaiting"] | null;
        };
        /** @description What a demand asks for. */
        Wanted: {
            /** @description Among those who have it, the higher level ranks first. */
            best_first?: boolean;
            /** @enum {string} */
            kind: "skill";
            /**
             * Format: int32
             * @description At this level at least, 1 to 5.
             */
            min_level: number;
            /** @description Which. */
            skill: components["schemas"]["SkillId"];
        } | {
            /** @enum {string} */
            kind: "language";
            /** @description ISO 639 code in lower case. */
            language: string;
        };
        WeeklyHours: string[];
        /**
         * @description What happens when nobody is eligible (ROUTING 7.2).
         * @enum {string}
         */
        WhenNobody: "unassigned" | "wait" | "keep";
        /** @description Why somebody does not have an item. */
        WhyNot: {
            /** @enum {string} */
            answer: "chosen";
        } | {
            /** @enum {string} */
            answer: "preferred";
            /** @description By what. */
            because: components["schemas"]["Preference"];
            /** @description The person asked about. */
            candidate: components["schemas"]["Candidate"];
            chosen: components["schemas"]["Candidate"] | null;
        } | {
            /** @enum {string} */
            answer: "skipped";
            /** @description The person, with load, open items and limit. */
            candidate: components["schemas"]["Candidate"];
            capacity: components["schemas"]["CapacityUse"] | null;
            /** @description Every skill and language required at this moment that the person lacks. */
            lacking: string[];
            until: components["schemas"]["Timestamp"] | null;
        } | {
            /** @enum {string} */
            answer: "not_asked";
            joins_at: components["schemas"]["Timestamp"] | null;
            /** @description The case that applies lists the person: nobody was asked, or somebody who is asked earlier has the item. */
            listed: boolean;
        };
        /** @description Why a user does not have an item. */
        WhyNotAnswer: {
            answer: components["schemas"]["WhyNot"] | null;
            /** @description Names for the ids. */
            names: components["schemas"]["Names"];
            /** @description All of it in the reader's language, several lines. */
            text: string;
        };
        /** @description Why an item waits, or was left unassigned. */
        WhyWaiting: {
            /**
             * Format: int32
             * @description How many wait in front of it.
             */
            ahead: number;
            changes_at: components["schemas"]["Timestamp"] | null;
            /** @description The item. */
            item: components["schemas"]["ItemId"];
            /** @description Whom it could come from, in the order in which they are asked, and what each group lacks. */
            lanes: components["schemas"]["LaneLack"][];
            /** @description What a decision at this moment comes to. */
            outcome: components["schemas"]["Outcome"];
            /**
             * Format: int32
             * @description Its place among those that wait for the same people, from 1 (ROUTING 7.4).
             */
            position: number | null;
            since: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description What kind of attention an item takes; capacity limits are set per type (ROUTING 5.5).
         * @enum {string}
         */
        WorkType: "chat" | "mail" | "call";
        /** @description An inbox or a help desk. */
        Workspace: {
            /** @description Who may open it. */
            access: components["schemas"]["WorkspaceAccess"];
            /** @description Closing a ticket closes its conversations and the reverse (ROUTING 12.3). */
            close_together: boolean;
            /** @description Id, never reused. */
            id: components["schemas"]["WorkspaceId"];
            /** @description Inbox or help desk. */
            kind: components["schemas"]["WorkspaceKind"];
            /** @description Name shown. */
            name: string;
            /** @description Reassigning somebody else's item needs its owner or a lead (ROUTING 2.2). */
            reassign_limited: boolean;
            /** @description Seats accepted for automatic routing; the default depends on the kind (ROUTING 3.2). */
            seats: components["schemas"]["Seat"][];
            /** @description Which work demands which skills; the first that applies wins (ROUTING 8.2). */
            skill_rules?: components["schemas"]["SkillRule"][];
            sla?: components["schemas"]["Sla"] | null;
            /** @description Key in directory files, `[a-z0-9_]+`. */
            slug: string;
        };
        /** @description Who may open a workspace. */
        WorkspaceAccess: {
            /** @enum {string} */
            kind: "everyone";
        } | {
            /** @enum {string} */
            kind: "restricted";
            /** @description Teams whose members may open it. With any, manual assignment is limited to them (ROUTING 2.4). */
            teams: components["schemas"]["TeamId"][];
            /** @description Users named directly. */
            users: components["schemas"]["UserId"][];
        };
        /**
         * Format: int64
         * @description A workspace (inbox or help desk).
         */
        WorkspaceId: number;
        /**
         * @description What a workspace holds.
         * @enum {string}
         */
        WorkspaceKind: "inbox" | "help_desk";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_attachments_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["BlobId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_audit: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_AuditEntry"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_channels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_channels_slug_rule: {
        parameters: {
            query?: {
                /** @description A chatflow of the channel, by slug; the channel's own rule without. */
                chatflow?: string;
            };
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleInForce"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_channels_slug_rule: {
        parameters: {
            query?: {
                /** @description A chatflow of the channel, by slug; the channel's own rule without. */
                chatflow?: string;
            };
            header?: never;
            path: {
                slug: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RuleWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleInForce"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_contacts_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ContactId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_contacts_id_owner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ContactId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ContactOwner"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ContactView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations: {
        parameters: {
            query?: {
                /** @description The view; `open` when absent. */
                view?: components["schemas"]["View"];
                /** @description Only conversations or only tickets; below `/conversations` and `/tickets` that is settled. */
                kind?: components["schemas"]["ItemKind"];
                /** @description Only this workspace. */
                workspace?: components["schemas"]["WorkspaceId"];
                /** @description The order; `newest` when absent. */
                sort?: components["schemas"]["ItemSort"];
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id_assignable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Assignable"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id_decisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_merge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id_messages: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_messages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageWish"];
            };
        };
        responses: {
            201: {
                headers: {
                    "x-item-version"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_move: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_conversations_id_owner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnerWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_conversations_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AttentionWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_conversations_id_priority: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PriorityWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_return: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReturnWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_route: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionSeen"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_conversations_id_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StatusWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_conversations_id_transcript: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_conversations_id_waiting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaitingAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    "get_conversations_id_why-not_user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyNotAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_decisions_id_explanation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["DecisionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Explained"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_directory: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_directory: {
        parameters: {
            query?: {
                /** @description Only say what would change. */
                dry_run?: boolean;
                /** @description Entries that the file does not name go. */
                prune?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/toml": string;
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApplyReport"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_events: {
        parameters: {
            query?: {
                /** @description The last event that was seen, for clients that cannot send `Last-Event-ID`; the header counts before it. */
                after?: number;
            };
            header?: {
                /** @description The last event that was seen. */
                "Last-Event-ID"?: number | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["LiveEvent"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items: {
        parameters: {
            query?: {
                /** @description The view; `open` when absent. */
                view?: components["schemas"]["View"];
                /** @description Only conversations or only tickets; below `/conversations` and `/tickets` that is settled. */
                kind?: components["schemas"]["ItemKind"];
                /** @description Only this workspace. */
                workspace?: components["schemas"]["WorkspaceId"];
                /** @description The order; `newest` when absent. */
                sort?: components["schemas"]["ItemSort"];
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id_assignable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Assignable"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id_decisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_merge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id_messages: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_messages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageWish"];
            };
        };
        responses: {
            201: {
                headers: {
                    "x-item-version"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_move: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_items_id_owner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnerWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_items_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AttentionWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_items_id_priority: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PriorityWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_return: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReturnWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_route: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionSeen"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_items_id_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StatusWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_items_id_transcript: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_items_id_waiting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaitingAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    "get_items_id_why-not_user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyNotAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_me_language: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LanguageChange"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_me_password: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    "put_me_undo-send": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UndoSendChange"];
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_messages_id_raw: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_messages_id_recall: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_messages_id_retry: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["MessageId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_search: {
        parameters: {
            query: {
                /** @description Words of a name, an address, a subject or a text; letters count without their marks. 1 to 200 characters. */
                q: string;
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_SearchRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionView"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    delete_sessions_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_teams: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TeamRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets: {
        parameters: {
            query?: {
                /** @description The view; `open` when absent. */
                view?: components["schemas"]["View"];
                /** @description Only conversations or only tickets; below `/conversations` and `/tickets` that is settled. */
                kind?: components["schemas"]["ItemKind"];
                /** @description Only this workspace. */
                workspace?: components["schemas"]["WorkspaceId"];
                /** @description The order; `newest` when absent. */
                sort?: components["schemas"]["ItemSort"];
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id_assignable: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Assignable"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id_decisions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DecisionRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_merge: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MergeWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MergeReport"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id_messages: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                before?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_messages: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageWish"];
            };
        };
        responses: {
            201: {
                headers: {
                    "x-item-version"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_move: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MoveWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_tickets_id_owner: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OwnerWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_tickets_id_presence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AttentionWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationPresence"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_tickets_id_priority: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PriorityWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_return: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReturnWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_route: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionSeen"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_tickets_id_status: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StatusWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ItemRow"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tickets_id_transcript: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on its way. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tickets_id_waiting: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WaitingAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    "get_tickets_id_why-not_user": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["ItemId"];
                user: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WhyNotAnswer"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenView"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenWish"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    delete_tokens_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["TokenId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_users: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserRow"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    put_users_id_availability: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AvailabilityWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PersonView"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    post_users_id_deactivate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeactivationWish"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Deactivation"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_users_id_statuses: {
        parameters: {
            query?: {
                /** @description `next` of the page before. */
                cursor?: string;
                /** @description Rows, 1 to 200; 50 when absent. */
                limit?: number;
            };
            header?: never;
            path: {
                id: components["schemas"]["UserId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Page_StatusEntry"];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
    get_workspaces: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workspace"][];
                };
            };
            /** @description A problem document. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["ProblemDocument"];
                };
            };
        };
    };
}
