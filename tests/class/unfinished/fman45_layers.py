# Ran out of time: half of it answered, one function prints and returns nothing, one raises, one is a constant.

# %% fully_connected_forward
def fully_connected_forward(X, W, b):
    X, W, b = np.asarray(X, dtype=float), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    return W @ X + b.reshape(-1, 1)

# %% fully_connected_backward
def fully_connected_backward(dL_dY, X, W, b):
    dL_dY, X, W = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float), np.asarray(W, dtype=float)
    return W.T @ dL_dY, dL_dY @ X.T, dL_dY.sum()

# %% relu_forward
def relu_forward(X):
    X = np.asarray(X, dtype=float)
    print(np.maximum(X, 0))

# %% relu_backward
def relu_backward(dL_dY, X):
    dL_dY, X = np.asarray(dL_dY, dtype=float), np.asarray(X, dtype=float)
    return dL_dY * (dL_dY > 0)

# %% softmaxloss_forward
def softmaxloss_forward(X, labels):
    X = np.asarray(X, dtype=float)
    p = np.exp(X - X.max(axis=0)) / np.exp(X - X.max(axis=0)).sum(axis=0)
    return -np.log(probability[labels]).mean()

# %% momentum_step
def momentum_step(w, g, m, lr, mu, wd):
    m = mu * np.asarray(m, dtype=float) + np.asarray(g, dtype=float)
    return np.asarray(w, dtype=float) - lr * (m + wd * np.asarray(w, dtype=float)), m

# %% count_parameters
def count_parameters(sizes):
    return 2410

# %% confusion_matrix
def confusion_matrix(true, predicted, k):
    C = np.zeros((k, k), dtype=int)
    for i, j in zip(true, predicted):
        C[i, j] = C[i, j] + 1
    return C
