#!/usr/bin/env bash
# Muster in tmux. With TPM: set -g @plugin; by hand: run-shell /path/to/scripts/tmux/muster.tmux
#
#   prefix W   run a command under wrap in a new window        (@muster-key-window)
#   prefix E   the same in a new pane beside this one          (@muster-key-pane)
#   prefix N   go to the next session that needs the user      (@muster-key-next)
#
# The status line shows how many sessions ask, work and rest: put #{@muster_status} where you want it, else it is put
# in front of status-right. It is set when something changes; nothing is asked every second.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

option() {
    local value
    value=$(tmux show-option -gqv "$1")
    printf '%s' "${value:-$2}"
}

tmux bind-key "$(option @muster-key-window W)" \
    command-prompt -p "wrap:" -I claude "new-window -c '#{pane_current_path}' 'exec wrap %%'"
tmux bind-key "$(option @muster-key-pane E)" \
    command-prompt -p "wrap:" -I claude "split-window -h -c '#{pane_current_path}' 'exec wrap %%'"
tmux bind-key "$(option @muster-key-next N)" run-shell "'$here/next'"

case "$(tmux show-option -gqv status-left)$(tmux show-option -gqv status-right)" in
    *@muster_status*) ;;
    *) tmux set-option -g status-right "#{@muster_status} $(tmux show-option -gqv status-right)" ;;
esac
tmux run-shell -b "'$here/status'"
