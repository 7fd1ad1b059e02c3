"""A convolutional network on MNIST in Keras, whose Adam takes its rate from gradstep (document 0, section 4.3).

Corrected: the last layer gives logits, as from_logits=True says; the document's gives probabilities. The document's
rate is 0.001 throughout; this one warms up to 0.003 and falls to zero along a cosine.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported
import keras
from keras import layers

from gradstep import CosineDecay
from gradstep_demo.data import mnist

EPOCHS = 1  # the document: 10
BATCH = 64
keras.utils.set_random_seed(0)

x, y, x_test, y_test = mnist()
updates = EPOCHS * -(-len(x) // BATCH)
rate = CosineDecay(0.003, updates - updates // 10).warmup(updates // 10)


class Scheduled(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return rate(int(step))


model = keras.Sequential(
    [
        keras.Input((1, 28, 28)),
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(32, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(Scheduled(), epsilon=1e-7)
model.compile(optimizer, loss, metrics=["accuracy"])
model.fit(x, y, BATCH, EPOCHS, verbose=2)
print(f"test accuracy {model.evaluate(x_test, y_test, verbose=0)[1]:.2%}")
