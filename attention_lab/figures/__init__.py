"""Tables in, matplotlib figures out: one look, drawn without a display.

    from attention_lab.figures import curves, heatmap, style
    style.save(heatmap.heat_maps([heatmap.Panel(weights, english, french, links)]), "attention.png")
"""
