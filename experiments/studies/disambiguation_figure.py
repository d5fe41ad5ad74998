"""The figure of the study of senses: by distance, learning, vectors of one noun, silhouettes."""

from experiments.studies import distances, tuning


def draw(rows, settings, shown):
    """All panels, from the table alone; the vectors are those of the arm `shown`."""
    import textwrap

    from attention_lab.figures import style
    with style.look():
        figure = style.figure(11.0, 6.6, layout="constrained")
        axes = figure.subplots(2, 3)
        for ax, distractors in zip(axes[0], (False, True)):
            _draw_distances(ax, rows, settings["arms"], distractors)
        for place, (arm, colour) in enumerate(zip(settings["arms"], style.COLOURS)):
            own = [row for row in rows if row["arm"] == arm]
            tuning.draw_curves([axes[0, 2]], [row["curve"] for row in own], arm, colour)
            excess = [row["silhouette"] - row["null"] for row in own]
            axes[1, 2].plot([place] * len(own), excess, "o", color=colour, markersize=4, alpha=0.7)
        axes[0, 2].set(ylabel="dev accuracy", ylim=(0, 1.02), xlim=(0, None))
        axes[1, 2].axhline(0.0, color=style.FAINT, zorder=0)
        axes[1, 2].set_xticks(range(len(settings["arms"])),
                              [textwrap.fill(arm, 9) for arm in settings["arms"]])
        axes[1, 2].set(ylabel="silhouette, less that of permuted")
        axes[1, 2].set_title("last states of one form; dots are seeds")
        _draw_vectors(axes[1, :2], rows, shown)
        for ax in (*axes[0], axes[1, 2]):
            ax.grid(axis="y")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
        figure.suptitle("the sense of the grammar's ambiguous nouns; mean and range of "
                        f"{len({row['seed'] for row in rows})} seeds", parse_math=False)
    return figure


def _draw_distances(ax, rows, arms, distractors):
    import numpy as np

    from attention_lab.figures import style
    for arm, colour in zip(arms, style.COLOURS):
        tables = [distances.table(row) for row in rows if row["arm"] == arm]
        tables = np.stack([table[distances.distracted(table) == distractors] for table in tables])
        ax.plot(tables[:, :, 4].mean(0), "o-", color=colour, markersize=4, label=arm)
        ax.fill_between(range(tables.shape[1]), tables[:, :, 4].min(0), tables[:, :, 4].max(0), color=colour,
                        alpha=0.15, linewidth=0)
    ax.set_xticks(range(tables.shape[1]), [f"{low:.0f} to {high:.0f}\n({count:.0f})"
                                           for low, high, _, count, _ in tables[0]])
    ax.set(xlabel="places to the deciding word (sentences)", ylabel="test accuracy", ylim=(0, 1.02))
    ax.set_title("beside a distractor" if distractors else "without distractors")


def _draw_vectors(axes, rows, shown):
    """One form's vectors before and after the layers, each in its own plane, to the same scale."""
    import numpy as np

    from attention_lab.figures import style
    row, = (row for row in rows if row["arm"] == shown and row["shown"])
    form, *points = row["shown"].split(";")
    senses = np.array([point.split(":")[0] for point in points])
    places = np.array([[float(x) for x in point.split(":")[1:]] for point in points])
    for ax, which, name in zip(axes, (places[:, :2], places[:, 2:]), ("before", "after")):
        for sense, colour in zip(sorted(set(senses)), style.COLOURS):
            own = which[senses == sense]
            ax.plot(own[:, 0], own[:, 1], "o", color=colour, markersize=5 if name == "after" else 9,
                    alpha=0.6, label=f"{sense} ({len(own)})")
        ax.set_title(f"“{form}” {name} self-attention")
        ax.set(xlabel="first principal component", ylabel="second")
        ax.margins(0.15)
    axes[0].set(xlim=axes[1].get_xlim(), ylim=axes[1].get_ylim())
    axes[1].legend(title="sense (sentences)")
