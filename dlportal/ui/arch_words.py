"""Names and sentences of the architecture tour."""

from dlportal.messages import N_

KIND_NAMES = {
    "mlp": "MLP",
    "cnn": "CNN",
    "rnn": "LSTM",
    "attention": N_("attention net"),
}
ABOUT = {
    "mlp": N_(
        "A multi-layer perceptron: every hidden unit holds one weight for each of the 784 pixels. It multiplies, adds up, adds its bias: that is z. Below zero it keeps silent."
    ),
    "cnn": N_(
        "A convolutional network: a filter is a small window of weights. It slides over the picture, and at each place multiplies and adds up what lies under it. The results form a map: bright where the filter found its pattern. The same weights serve all places."
    ),
    "reach": N_(
        "Move one pixel: does the unit feel it? The gradient answers for all pixels at once. Bright pixels move the unit, dark ones cannot."
    ),
    "rnn": N_(
        "A long short-term memory, LSTM, reads the picture row by row, as one reads a sentence. It carries a memory c. Three gates between 0 and 1 decide what to forget, what to store, and what to show."
    ),
    "speech": N_(
        "What recurrent networks are for: sound comes one moment after another. An LSTM of its own hears 32 pitches every 16 milliseconds and carries what it has heard along in its state."
    ),
    "attention": N_(
        "The picture is cut into 16 patches. Each patch asks (q), each offers a key (k); where they match, it looks, and takes over the value (v) found there."
    ),
}
