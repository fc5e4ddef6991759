/*
 * libnice: an ICE agent of libnice, of one stream with one component, that is told on stdin what to do.
 *
 *   libnice <controlling|controlled> [<STUN server's address> <port>]
 *
 * It says and takes lines as `ice-program.ts` describes them, gathers at once and ends with its standard input.
 */
#include <nice/agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPONENT = 1, PATIENCE = 1000 /* ms for the echo of one datagram */ };

static NiceAgent *agent;
static GMainLoop *loop;
static guint stream;
static gchar *remote_ufrag;

/* A run of `ping`: so many sent and echoed of all, and the timer of the one that is on its way. */
static struct {
    unsigned sent, echoed, all;
    guint timer;
} ping;

static void say_credentials(void);
static void say_candidate(NiceCandidate *candidate);
static void say_endpoint(const NiceAddress *address);
static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data);
static void obey(gchar *line);
static void restart(void);
static void add_remote_candidate(const gchar *line);
static void on_candidate(NiceAgent *self, NiceCandidate *candidate, gpointer data);
static void on_gathered(NiceAgent *self, guint of, gpointer data);
static void on_state(NiceAgent *self, guint of, guint component, guint state, gpointer data);
static void on_selected(NiceAgent *self, guint of, guint component, NiceCandidate *local, NiceCandidate *remote, gpointer data);
static void on_datagram(NiceAgent *self, guint of, guint component, guint length, gchar *bytes, gpointer data);
static void send_ping(void);
static gboolean on_silence(gpointer data);

int main(int argc, char **argv) {
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: libnice <controlling|controlled> [<STUN server's address> <port>]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    loop = g_main_loop_new(NULL, FALSE);
    agent = nice_agent_new_full(NULL, NICE_COMPATIBILITY_RFC5245,
                                NICE_AGENT_OPTION_REGULAR_NOMINATION | NICE_AGENT_OPTION_ICE_TRICKLE |
                                    NICE_AGENT_OPTION_CONSENT_FRESHNESS);
    g_object_set(agent, "controlling-mode", strcmp(argv[1], "controlling") == 0, "upnp", FALSE, NULL);
    if (argc == 4) g_object_set(agent, "stun-server", argv[2], "stun-server-port", atoi(argv[3]), NULL);
    g_signal_connect(agent, "new-candidate-full", G_CALLBACK(on_candidate), NULL);
    g_signal_connect(agent, "candidate-gathering-done", G_CALLBACK(on_gathered), NULL);
    g_signal_connect(agent, "component-state-changed", G_CALLBACK(on_state), NULL);
    g_signal_connect(agent, "new-selected-pair-full", G_CALLBACK(on_selected), NULL);

    stream = nice_agent_add_stream(agent, 1);
    nice_agent_set_stream_name(agent, stream, "application");
    nice_agent_attach_recv(agent, stream, COMPONENT, NULL, on_datagram, NULL);
    say_credentials();
    if (!nice_agent_gather_candidates(agent, stream)) {
        fprintf(stderr, "libnice: cannot gather\n");
        return 1;
    }
    GIOChannel *input = g_io_channel_unix_new(0);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_input, NULL);
    g_main_loop_run(loop);
    return 0;
}

static void say_credentials(void) {
    gchar *ufrag, *pwd;
    nice_agent_get_local_credentials(agent, stream, &ufrag, &pwd);
    printf("a=ice-ufrag:%s\na=ice-pwd:%s\n", ufrag, pwd);
    g_free(ufrag);
    g_free(pwd);
}

static void say_candidate(NiceCandidate *candidate) {
    gchar *line = nice_agent_generate_local_candidate_sdp(agent, candidate);
    puts(line);
    g_free(line);
}

static void say_endpoint(const NiceAddress *address) {
    gchar text[NICE_ADDRESS_STRING_LEN];
    nice_address_to_string(address, text);
    printf(nice_address_ip_version(address) == 6 ? " [%s]:%u" : " %s:%u", text, nice_address_get_port(address));
}

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data) {
    (void)condition, (void)data;
    do {
        gchar *line = NULL;
        if (g_io_channel_read_line(input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL) {
            g_main_loop_quit(loop);
            return FALSE;
        }
        obey(g_strchomp(line));
        g_free(line);
    } while (g_io_channel_get_buffer_condition(input) & G_IO_IN); /* what is read ahead wakes no watch */
    return TRUE;
}

static void obey(gchar *line) {
    if (g_str_has_prefix(line, "a=ice-ufrag:")) {
        g_free(remote_ufrag);
        remote_ufrag = g_strdup(strchr(line, ':') + 1);
    } else if (g_str_has_prefix(line, "a=ice-pwd:")) {
        nice_agent_set_remote_credentials(agent, stream, remote_ufrag, strchr(line, ':') + 1);
    } else if (g_str_has_prefix(line, "a=candidate:")) {
        add_remote_candidate(line);
    } else if (strcmp(line, "a=end-of-candidates") == 0) {
        nice_agent_peer_candidate_gathering_done(agent, stream);
    } else if (strcmp(line, "restart") == 0) {
        restart();
    } else if (sscanf(line, "ping %u", &ping.all) == 1) {
        ping.sent = ping.echoed = 0;
        send_ping();
    }
}

/* The sockets stay, and so do the candidates. */
static void restart(void) {
    nice_agent_restart(agent);
    say_credentials();
    GSList *candidates = nice_agent_get_local_candidates(agent, stream, COMPONENT);
    for (GSList *each = candidates; each != NULL; each = each->next) say_candidate(each->data);
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    puts("a=end-of-candidates");
}

static void add_remote_candidate(const gchar *line) {
    NiceCandidate *candidate = nice_agent_parse_remote_candidate_sdp(agent, stream, line);
    if (candidate == NULL) {
        printf("refused %s\n", line);
        return;
    }
    GSList *list = g_slist_append(NULL, candidate);
    nice_agent_set_remote_candidates(agent, stream, COMPONENT, list);
    g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

static void on_candidate(NiceAgent *self, NiceCandidate *candidate, gpointer data) {
    (void)self, (void)data;
    say_candidate(candidate);
}

static void on_gathered(NiceAgent *self, guint of, gpointer data) {
    (void)self, (void)of, (void)data;
    puts("a=end-of-candidates");
}

static void on_state(NiceAgent *self, guint of, guint component, guint state, gpointer data) {
    (void)self, (void)of, (void)component, (void)data;
    printf("state %s\n", nice_component_state_to_string(state));
}

static void on_selected(NiceAgent *self, guint of, guint component, NiceCandidate *local, NiceCandidate *remote, gpointer data) {
    (void)self, (void)of, (void)component, (void)data;
    printf("nominated");
    say_endpoint(&local->addr);
    say_endpoint(&remote->addr);
    putchar('\n');
}

/* Sends back what says "ping"; what says "pong" is an echo. */
static void on_datagram(NiceAgent *self, guint of, guint component, guint length, gchar *bytes, gpointer data) {
    (void)self, (void)data;
    unsigned number;
    gchar *text = g_strndup(bytes, length);
    if (sscanf(text, "ping %u", &number) == 1) {
        gchar *answer = g_strdup_printf("pong %u", number);
        nice_agent_send(agent, of, component, strlen(answer), answer);
        g_free(answer);
    } else if (sscanf(text, "pong %u", &number) == 1 && number == ping.sent && ping.timer != 0) {
        g_source_remove(ping.timer);
        ping.timer = 0;
        ping.echoed++;
        send_ping();
    }
    g_free(text);
}

/* The next datagram of the run, or its end. */
static void send_ping(void) {
    if (ping.sent == ping.all) {
        printf("echoed %u\n", ping.echoed);
        return;
    }
    gchar *text = g_strdup_printf("ping %u", ++ping.sent);
    nice_agent_send(agent, stream, COMPONENT, strlen(text), text);
    g_free(text);
    ping.timer = g_timeout_add(PATIENCE, on_silence, NULL);
}

static gboolean on_silence(gpointer data) {
    (void)data;
    ping.timer = 0;
    send_ping();
    return G_SOURCE_REMOVE;
}
