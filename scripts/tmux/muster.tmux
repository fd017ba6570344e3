#!/usr/bin/env bash
# Muster in tmux 3.3 or newer. With TPM: set -g @plugin; by hand: run-shell /path/to/scripts/tmux/muster.tmux
#
#   prefix W   run a command under wrap in a new window          (@muster-key-window)
#   prefix E   the same in a new pane beside this one            (@muster-key-pane)
#   prefix R   run this pane's command anew under wrap; asks     (@muster-key-wrap)
#   prefix N   go to the next session that needs you             (@muster-key-next)
#   prefix A   all of it in a popup: approve, deny, answer       (@muster-key-inbox)
#   prefix P   type a prompt; the best session gets it           (@muster-key-prompt)
#   S          in copy mode: send the selection as a prompt      (@muster-key-selection)
#
# The status line shows how many sessions ask, work and rest: put #{@muster_status} where you want it, else it is put
# in front of status-right. Each pane that shows a session has its name in #{@muster_session} and what it does in
# #{@muster_state}, for formats of your own, and in #{@muster_hand} whose hand is on its keyboard: a prompt's number, or
# "kept"; `set -g @muster-borders on` shows them on the borders of panes.
# One process, `assign tmux follow`, sets these when something changes; nothing is asked every second.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

option() {
    local value
    value=$(tmux show-option -gqv "$1")
    printf '%s' "${value:-$2}"
}

version=$(tmux display-message -p '#{version}')
if [[ $version =~ ^([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] < 303)); then
    tmux display-message "Muster needs tmux 3.3 or newer; this server is $version"
    exit
fi
if ! command -v assign >/dev/null || ! command -v wrap >/dev/null; then
    tmux display-message "Muster: wrap and assign are not on tmux's PATH; put them there and start tmux anew"
    exit
fi

tmux bind-key "$(option @muster-key-window W)" \
    command-prompt -p "wrap:" -I claude "new-window -c '#{pane_current_path}' 'exec wrap %%'"
tmux bind-key "$(option @muster-key-pane E)" \
    command-prompt -p "wrap:" -I claude "split-window -h -c '#{pane_current_path}' 'exec wrap %%'"
tmux bind-key "$(option @muster-key-wrap R)" \
    confirm-before -p "end #{pane_current_command} and run it anew under wrap? (y/n)" \
    "run-shell 'assign tmux wrap --yes #{pane_id} >/dev/null'"
tmux bind-key "$(option @muster-key-next N)" run-shell "assign tmux next"
tmux bind-key "$(option @muster-key-inbox A)" display-popup -E -w 90% -h 85% "assign watch"
tmux bind-key "$(option @muster-key-prompt P)" display-popup -E -w 80% -h 5 "'$here/ask'"
for table in copy-mode copy-mode-vi; do
    tmux bind-key -T "$table" "$(option @muster-key-selection S)" \
        send-keys -X copy-pipe-and-cancel "'$here/send'"
done

if [ "$(tmux show-option -gqv @muster-borders)" = on ]; then
    tmux set-option -g pane-border-status top
    colour='#{?#{==:#{@muster_state},asks},#[fg=yellow],}'
    tmux set-option -g pane-border-format \
        " #{pane_index} #{?@muster_session,$colour#{@muster_session}: #{@muster_state}#{?@muster_hand, #{@muster_hand},}#[default],#{pane_current_command}} "
fi
case "$(tmux show-option -gqv status-left)$(tmux show-option -gqv status-right)" in
    *@muster_status*) ;;
    *) tmux set-option -g status-right "#{@muster_status} $(tmux show-option -gqv status-right)" ;;
esac
tmux run-shell -b "exec assign tmux follow"
